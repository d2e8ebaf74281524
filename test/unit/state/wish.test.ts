// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import { Project } from '#contract/project.js';
import { Studio } from '#state/studio.svelte.js';
import { FakeLink, wholeRun } from './fake-link.js';

let link: FakeLink;
let studio: Studio;

beforeEach(async () => {
  vi.stubGlobal('createImageBitmap', async () => ({ width: 40, height: 30, close: () => undefined }));
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  HTMLCanvasElement.prototype.getContext = () => null;
  link = new FakeLink();
  studio = new Studio(link);
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const lengths = () => studio.document.changes.length;

function dab(): void {
  studio.mask.add({ kind: 'invert' });
}

async function result(name: string): Promise<void> {
  link.events = wholeRun(name);
  await studio.run();
}

function typed(text: string): void {
  for (let end = 1; end <= text.length; end++) studio.change({ instruction: text.slice(0, end) });
}

describe('what is expected of a run', () => {
  test('is asked with the painted mask, which is sent once per change and let go of', async () => {
    const asked: (string | undefined)[] = [];
    const answer = link.table['edit.forecast']!;
    link.table['edit.forecast'] = (request) => {
      asked.push(`${request.task} ${String(request.mask)}`);
      return answer(request);
    };
    vi.spyOn(studio.mask, 'repaintPng').mockImplementation(() => Promise.resolve(new Blob(['mask'])));
    vi.spyOn(studio.mask, 'masked', 'get').mockReturnValue(true);
    dab();
    studio.wish.expectRun();
    await vi.runAllTimersAsync();
    studio.change({ instruction: 'make it night' });
    await vi.runAllTimersAsync();
    dab();
    studio.wish.expectRun();
    await vi.runAllTimersAsync();
    expect(asked.slice(-3)).toEqual(['fill upload-2', 'edit upload-2', 'edit upload-3']);
    expect(link.closed).toContain('upload-2');
    expect(link.closed).not.toContain('upload-3');
  });
});

describe('a gesture', () => {
  test('of typing ends with a rest', () => {
    typed('make it');
    expect([lengths(), studio.canUndo]).toEqual([0, true]);
    vi.advanceTimersByTime(1000);
    studio.change({ instruction: 'make it night' });
    vi.advanceTimersByTime(1000);
    expect(lengths()).toBe(2);
    const seen = [1, 2].map(() => {
      studio.undo();
      return studio.settings.instruction;
    });
    expect([...seen, studio.canUndo]).toEqual(['make it', '', false]);
    studio.redo();
    studio.redo();
    expect([studio.settings.instruction, studio.canRedo]).toEqual(['make it night', false]);
  });

  test('of a held slider is one, however long it rests', () => {
    studio.wish.hold();
    for (const seed of [1, 2, 3]) {
      studio.change({ seed });
      vi.advanceTimersByTime(5000);
    }
    studio.wish.release();
    expect(lengths()).toBe(1);
    studio.undo();
    expect(studio.settings.seed).toBe(0);
  });

  test('ends where another setting is touched', () => {
    typed('night');
    studio.change({ preset: 'fast' });
    studio.undo();
    expect([studio.settings.preset, studio.settings.instruction]).toEqual(['balanced', 'night']);
    studio.undo();
    expect(studio.settings.instruction).toBe('');
  });

  test('that ends where it began is no step', () => {
    studio.change({ seed: 4 });
    studio.change({ seed: 0 });
    studio.wish.settle();
    expect([lengths(), studio.canUndo]).toEqual([0, false]);
  });

  test('without a picture is no step', async () => {
    await studio.opener.close();
    studio.change({ seed: 4 });
    expect([studio.settings.seed, studio.canUndo]).toEqual([4, false]);
  });
});

describe('undoing', () => {
  test('goes over masks, settings and results in the order in which they came, and redoing goes back', async () => {
    dab();
    studio.change({ seed: 1, instruction: 'make it night' });
    studio.wish.settle();
    dab();
    await result('a');
    studio.keep();
    studio.change({ preset: 'fast' });
    const state = () => [studio.document.step, studio.settings.preset, studio.settings.seed, studio.mask.history.length].join();
    const states = [state()];
    while (studio.canUndo) {
      studio.undo();
      states.push(state());
    }
    expect(states).toEqual(['1,fast,1,0', '1,balanced,1,0', '0,balanced,1,2', '0,balanced,1,1', '0,balanced,0,1', '0,balanced,0,0']);
    const back = [state()];
    while (studio.canRedo) {
      studio.redo();
      back.unshift(state());
    }
    expect(back).toEqual(states);
  });

  test('takes back what was changed since a run before its result', async () => {
    studio.change({ instruction: 'make it night' });
    await result('a');
    studio.change({ seed: 5 });
    studio.undo();
    expect([studio.phase, studio.settings.seed]).toEqual(['done', 0]);
    studio.redo();
    expect([studio.phase, studio.settings.seed]).toEqual(['done', 5]);
    studio.undo();
    studio.undo();
    expect([studio.phase, studio.settings.instruction]).toEqual(['ready', 'make it night']);
    studio.undo();
    expect([studio.settings.instruction, studio.canUndo]).toEqual(['', false]);
  });

  test('after a new stroke, a change that was taken back is gone', () => {
    studio.change({ seed: 5 });
    studio.undo();
    dab();
    studio.undo();
    studio.redo();
    expect([studio.settings.seed, studio.mask.history.length, studio.canRedo]).toEqual([0, 1, false]);
  });

  test('reaches a deed on masks below a change, also where a stroke between them was taken back', () => {
    studio.document.takeMasks({ masks: [{ name: 'sky', history: studio.mask.history }], active: 0 });
    dab();
    studio.change({ seed: 5 });
    studio.undo();
    studio.undo();
    expect(studio.mask.list.masks[0]?.name).toBe('sky');
    studio.undo();
    expect([studio.mask.list.masks[0]?.name, studio.canUndo]).toEqual(['', false]);
  });

  test('reaches a deed although something was changed on an earlier step since', async () => {
    dab();
    await result('a');
    studio.keep();
    await studio.stepEditor.setHidden(1, true);
    studio.goTo(0);
    studio.change({ seed: 5 });
    studio.goTo(1);
    studio.undo();
    expect(studio.document.sheets[1]?.hidden).toBeUndefined();
  });

  test('what a picture or an earlier step brings along is no change of its own', async () => {
    studio.change({ instruction: 'make it night' });
    dab();
    await result('a');
    studio.keep();
    studio.change({ instruction: '' });
    studio.wish.settle();
    studio.stepEditor.edit(1);
    expect([studio.settings.instruction, lengths()]).toEqual(['make it night', 1]);
  });
});

test('changes survive a restart', async () => {
  studio.change({ guidance: 3 });
  studio.wish.settle();
  studio.change({ guidance: undefined });
  studio.wish.settle();
  studio.change({ seed: 7 });
  studio.undo();
  const project = v.parse(Project, JSON.parse(JSON.stringify(studio.project)));
  link.table['journal.recover'] = () => project;
  const reopened = new Studio(link, 'window-two');
  await reopened.begin();
  expect([reopened.settings.seed, reopened.canRedo]).toEqual([0, true]);
  reopened.redo();
  expect(reopened.settings.seed).toBe(7);
  const seen = [1, 2, 3].map(() => {
    reopened.undo();
    return reopened.settings.guidance;
  });
  expect([...seen, reopened.canUndo]).toEqual([undefined, 3, undefined, false]);
});

test('a project of before opens without any', async () => {
  const project = JSON.parse(JSON.stringify(studio.project)) as { sheets: object[] };
  expect(project.sheets[0]).not.toHaveProperty('changes');
  link.table['journal.recover'] = () => v.parse(Project, project);
  const reopened = new Studio(link, 'window-two');
  await reopened.begin();
  expect([reopened.phase, reopened.canUndo]).toEqual(['ready', false]);
});
