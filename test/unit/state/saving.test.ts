import { describe, expect, test, vi } from 'vitest';
import type { Desktop } from '#contract/desktop.js';
import type { Exporter } from '#state/exporter.js';
import { endingOf, fileName } from '#state/project.js';
import { Saving } from '#state/saving.svelte.js';
import type { Sheet } from '#state/sheets.js';
import { infoOf } from './fake-link.js';

const FILE = { file: new Blob(['x']), name: 'photo.jpg' };

/** As much of it as saving asks for: a picture that a run made. */
function exporterOf(id: string) {
  return { info: infoOf(id), filed: new Set<string>() } as unknown as Exporter;
}

describe('saving', () => {
  test('says what is under way and what is saved, and whether something is in no file yet', async () => {
    const exporter = exporterOf('a');
    const saving = new Saving(exporter, undefined);
    const hand = vi.fn();
    const done = saving.save('mine.jpg', () => Promise.resolve(FILE), hand);
    expect(saving.last).toEqual({ name: 'mine.jpg', state: 'working' });
    await done;
    expect(hand).toHaveBeenCalledExactlyOnceWith(FILE.file, 'mine.jpg');
    expect([saving.last, ...exporter.filed]).toEqual([{ name: 'mine.jpg', state: 'saved' }, 'a']);
  });

  test('says nothing of a file that could not be made', async () => {
    const exporter = exporterOf('a');
    const saving = new Saving(exporter, undefined);
    const hand = vi.fn();
    await saving.save('mine.jpg', () => Promise.resolve(undefined), hand);
    expect([saving.last, [...exporter.filed], hand.mock.calls]).toEqual([undefined, [], []]);
  });

  test('on the desktop is over when the system says where the file is, or that there is none', async () => {
    let said: (name: string | undefined) => void = () => undefined;
    const desktop = { onSaved: (listener: typeof said) => (said = listener) } as unknown as Desktop;
    const exporter = exporterOf('a');
    const saving = new Saving(exporter, desktop);
    await saving.save('mine.jpg', () => Promise.resolve(FILE), vi.fn());
    expect(saving.last?.state).toBe('working');
    said(undefined);
    expect([saving.last, ...exporter.filed]).toEqual([undefined]);
    await saving.save('mine.jpg', () => Promise.resolve(FILE), vi.fn());
    said('other.jpg');
    expect([saving.last, ...exporter.filed]).toEqual([{ name: 'other.jpg', state: 'saved' }, 'a']);
  });
});

test.each([
  ['p24.jpg', 'jpeg', 'p24.jpg'],
  ['p24.JPEG', 'jpeg', 'p24.jpeg'],
  ['p24.png', 'jpeg', 'p24.jpg'],
  ['p24.tif', 'tiff', 'p24.tif'],
  ['p24.tif', 'webp', 'p24.webp'],
])('the name of %s does not grow, and as %s it is %s', (name, format, wanted) => {
  const sheets = [{ picture: { info: { ...infoOf('x'), name } } }] as unknown as readonly Sheet[];
  expect(fileName(sheets, endingOf(format, sheets))).toBe(wanted);
});
