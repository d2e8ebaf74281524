// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Stroke } from '#contract/mask.js';
import { Studio } from '#state/studio.svelte.js';
import type { Calls } from '#contract/api.js';
import { tinyCard } from '../../support/tiny-card.js';
import { FakeLink, wholeRun } from './fake-link.js';

beforeEach(() => {
  vi.stubGlobal('createImageBitmap', async () => ({ width: 40, height: 30, close: () => undefined }));
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  HTMLCanvasElement.prototype.getContext = () => null;
});

const strokeAt = (x: number): Stroke => ({ points: [{ x, y: 10 }], radiusPx: 3, erase: false });
const failure = { code: 'memory.too-little', message: 'Expected more memory.', advice: '' } as const;

async function opened(): Promise<{ studio: Studio; link: FakeLink }> {
  const link = new FakeLink();
  link.table['packs.info'] = ({ name }) => ({ name, card: tinyCard }) as unknown as Calls['packs.info']['out'];
  const studio = new Studio(link);
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  return { studio, link };
}

describe('a removal that fails', () => {
  test('keeps its stroke and those that wait, and all are done when it is tried again', async () => {
    const { studio, link } = await opened();
    link.events = [{ type: 'failed', error: failure }];
    const first = studio.remover.lifted(strokeAt(8));
    void studio.remover.lifted(strokeAt(30));
    await first;
    expect([studio.phase, studio.remover.waiting.length, studio.remover.busy]).toEqual(['failed', 2, false]);
    link.events = wholeRun('a');
    await studio.tryAgain();
    expect(link.requests.map(({ task }) => task)).toEqual(['fill', 'fill', 'fill']);
    expect([studio.document.sheets.length, studio.remover.waiting.length, studio.remover.layer]).toEqual([3, 0, undefined]);
  });

  test('is let go of when its error is dismissed', async () => {
    const { studio, link } = await opened();
    link.events = [{ type: 'failed', error: failure }];
    await studio.remover.lifted(strokeAt(8));
    studio.dismiss();
    expect([studio.phase, studio.remover.waiting.length, studio.remover.layer]).toEqual(['ready', 0, undefined]);
  });
});
