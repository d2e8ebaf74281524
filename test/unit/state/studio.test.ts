// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import type { PackSummary } from '#contract/api.js';
import { picturesOf, Project } from '#contract/project.js';
import { ExpectedError } from '#contract/errors.js';
import type { EditEvent } from '#contract/event.js';
import { Studio } from '#state/studio.svelte.js';
import { ending, FakeLink, infoOf, SCHEDULE, scaleEvents, STARTED, wholeRun } from './fake-link.js';

/** Bitmaps that know where they came from and whether they were given back. */
interface FakeBitmap {
  readonly width: number;
  readonly height: number;
  readonly from: string;
  closed: boolean;
}

let bitmaps: FakeBitmap[];

beforeEach(() => {
  bitmaps = [];
  vi.stubGlobal('createImageBitmap', async (file: Blob) => {
    const bitmap = { width: 40, height: 30, from: await textOf(file), closed: false, close: () => void (bitmap.closed = true) };
    bitmaps.push(bitmap);
    return bitmap;
  });
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  // jsdom draws nothing, and says so at length unless asked not to.
  HTMLCanvasElement.prototype.getContext = () => null;
});

function textOf(file: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(reader.result as string);
    };
    reader.readAsText(file);
  });
}

function open(): readonly string[] {
  return bitmaps.filter(({ closed }) => !closed).map(({ from }) => from);
}

async function studioWithPhoto(): Promise<{ studio: Studio; link: FakeLink }> {
  const link = new FakeLink();
  const studio = new Studio(link);
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  return { studio, link };
}

async function studioWithResult(): Promise<{ studio: Studio; link: FakeLink }> {
  const made = await studioWithPhoto();
  made.studio.change({ instruction: 'make it night' });
  made.link.events = wholeRun('result-1');
  await made.studio.run();
  return made;
}

function dab(studio: Studio): void {
  const stroke = { points: [{ x: 5, y: 5 }], radiusPx: 3, erase: false };
  studio.mask.layer?.paint(stroke.points[0]!, stroke.points[0]!, stroke);
  studio.mask.addPainted({ kind: 'stroke', stroke: stroke });
}

test('a pack that is liked is taken where it is installed, unless another was chosen while the service still looked', async () => {
  const packNamed = (name: string) => ({ name, family: 'infinity' }) as PackSummary;
  const link = new FakeLink();
  link.table['packs.list'] = () => [packNamed('studio'), packNamed('mine'), packNamed('liked')];
  const liking = new Studio(link);
  await liking.begin('liked');
  expect(liking.settings.pack).toBe('liked');
  let found = (): void => undefined;
  const looking = new Promise<void>((resolve) => (found = resolve));
  link.table['providers.list'] = () => looking.then(() => []);
  const choosing = new Studio(link);
  const beginning = choosing.begin('liked');
  choosing.change({ pack: 'mine' });
  found();
  await beginning;
  expect(choosing.settings.pack).toBe('mine');
});

test('parts of a mask that lie apart are shown in turn, and branching keeps the tokens of all', async () => {
  const { studio, link } = await studioWithPhoto();
  dab(studio);
  const regions = [0, 20].map((x) => ({ x, y: 0, width: 10, height: 10 }));
  const started = STARTED.type === 'started' ? { ...STARTED, plan: { ...STARTED.plan, crop: regions[0]!, regions } } : STARTED;
  const parts = regions.flatMap((crop, i) =>
    SCHEDULE.flatMap((_, k) => scaleEvents(k + 1)).map((event): EditEvent =>
      event.type === 'scale' || event.type === 'preview' ? { ...event, part: { index: i + 1, of: 2, crop } } : event,
    ),
  );
  const tokens = { pack: 'studio', schedule: SCHEDULE.map(([h, w]): [number, number] => [h, w]), tokens: [[1], [1, 2, 3, 4]], regions: [[[5], [6, 7, 8, 9]]] }; // prettier-ignore
  const ended = ending('result-1').map((event) =>
    event.type === 'candidate' ? { ...event, candidate: { ...event.candidate, tokens } } : event,
  );
  link.events = [started, ...parts, ...ended];
  await studio.run();
  expect(studio.strip.part).toEqual({ index: 2, of: 2 });
  expect([studio.strip.stepsDone, studio.strip.steps, studio.strip.frame]).toEqual([6, 6, regions[1]]);
  link.events = wholeRun('result-2');
  await studio.runner.reroll(2, 1);
  expect(link.requests.at(-1)?.resume).toEqual({ ...tokens, tokens: [[1]], regions: [[[5]]] });
});

describe('opening', () => {
  test('shows the photo and the places of the pack’s scales', async () => {
    const { studio } = await studioWithPhoto();
    expect(studio.phase).toBe('ready');
    expect(studio.source?.info.name).toBe('photo.png');
    expect(studio.strip.cells.map(({ grid, preview }) => [grid, preview])).toEqual([
      [[1, 1], undefined],
      [[2, 2], undefined],
      [[4, 4], undefined],
    ]);
  });

  test('what cannot be read is said, and the open photo stays', async () => {
    const { studio, link } = await studioWithPhoto();
    const before = studio.source;
    link.upload = () => Promise.reject(new ExpectedError('image.unreadable', 'Expected a picture.'));
    await studio.opener.openFile(new Blob(['x']), 'page.png');
    expect(studio.error).toMatchObject({ code: 'image.unreadable' });
    expect(studio.source).toBe(before);
    expect(studio.phase).toBe('ready');
    expect(studio.opener.busy).toBe(false);
  });

  test('the later of two files wins, whichever arrives last', async () => {
    const { studio, link } = await studioWithPhoto();
    const release: (() => void)[] = [];
    link.upload = (_, name) =>
      new Promise((resolve) => {
        release.push(() => {
          resolve({ ...infoOf(name.slice(0, 1)), name });
        });
      });
    const first = studio.opener.openFile(new Blob(['x']), 'a.png');
    const second = studio.opener.openFile(new Blob(['x']), 'b.png');
    release[1]?.();
    await second;
    release[0]?.();
    await first;
    expect(studio.source?.info.name).toBe('b.png');
    expect(open()).toEqual(['b']);
  });

  test('a TIFF is drawn from what the service makes of it', async () => {
    const { studio, link } = await studioWithPhoto();
    link.upload = () => Promise.resolve({ ...infoOf('scan'), format: 'tiff' });
    await studio.opener.openFile(new Blob(['x']), 'scan.tiff');
    expect(open()).toEqual(['scan-as-png']);
    expect(link.closed).toContain('scan-as-png');
  });

  test('another photo gives the first one’s memory back', async () => {
    const { studio, link } = await studioWithResult();
    await studio.opener.openFile(new Blob(['x']), 'other.png');
    expect(open()).toEqual(['upload-2']);
    expect(link.closed).toEqual(expect.arrayContaining(['upload-1', 'result-1', 'result-1-changed']));
  });
});

describe('a picture that the service reads and the window cannot draw', () => {
  test('is said, and the service is asked to forget it', async () => {
    const { studio, link } = await studioWithPhoto();
    const before = studio.source;
    vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error('no picture')));
    await studio.opener.openFile(new Blob(['y']), 'odd.png');
    expect(studio.error?.code).toBe('image.unreadable');
    expect(studio.source).toBe(before);
    expect(link.closed).toContain('upload-2');
  });
});

describe('a run', () => {
  test('fills the strip in order and ends with the result', async () => {
    const { studio, link } = await studioWithPhoto();
    studio.change({ instruction: 'make it night' });
    const filled: (readonly number[])[] = [];
    const watch = (event: EditEvent): Promise<EditEvent> => {
      filled.push(studio.strip.cells.filter(({ preview }) => preview).map(({ scale }) => scale));
      return Promise.resolve(event);
    };
    link.events = wholeRun('result-1').map(
      (event) => ({ then: (go: (value: EditEvent) => void) => void watch(event).then(go) }) as unknown as Promise<EditEvent>,
    );
    await studio.run();
    expect(filled.at(-1)).toEqual([1, 2, 3]);
    for (const scales of filled) expect(scales).toEqual([1, 2, 3].slice(0, scales.length));
    expect(studio.phase).toBe('done');
    expect(studio.result).toMatchObject({ info: { id: 'result-1' }, totalMs: 12, candidate: { changedPixels: 3 } });
    expect(link.requests).toMatchObject([{ task: 'edit', source: 'upload-1', instruction: 'make it night' }]);
  });

  test('with a mask sends it, and forgets it afterwards', async () => {
    const { studio, link } = await studioWithPhoto();
    dab(studio);
    expect(studio.verb).toBe('fill');
    link.events = wholeRun('result-1');
    await studio.run();
    expect(link.requests).toMatchObject([{ task: 'fill', mask: 'upload-2' }]);
    expect(link.closed).toContain('upload-2');
  });

  test('without words and mask does not begin', async () => {
    const { studio, link } = await studioWithPhoto();
    await studio.run();
    expect(link.requests).toEqual([]);
    expect(studio.phase).toBe('ready');
  });

  test.each<[string, readonly EditEvent[], string]>([
    [
      'fails',
      [STARTED, ...scaleEvents(1), { type: 'failed', error: { code: 'inference.died', message: 'It died.', advice: '' } }],
      'inference.died',
    ],
    ['ends without a result', [STARTED, ...scaleEvents(1)], 'service.unreachable'],
    ['is done without a candidate', [STARTED, wholeRun('x').at(-1)!], 'service.unreachable'],
  ])('that %s leaves everything as it was, and says so', async (_, events, code) => {
    const { studio, link } = await studioWithResult();
    const { result, source } = studio;
    const cells = studio.strip.cells;
    link.events = events;
    await studio.run();
    expect(studio.phase).toBe('failed');
    expect(studio.error).toMatchObject({ code });
    expect(studio.result).toBe(result);
    expect(studio.source).toBe(source);
    expect(studio.strip.cells).toBe(cells);
    expect(open()).toEqual(['upload-1', 'preview-1', 'preview-2', 'preview-3', 'result-1']);
    studio.dismiss();
    expect(studio.phase).toBe('done');
  });

  test('after a failure works', async () => {
    const { studio, link } = await studioWithPhoto();
    studio.change({ instruction: 'make it night' });
    link.events = [{ type: 'failed', error: { code: 'inference.died', message: 'It died.', advice: '' } }];
    await studio.run();
    link.events = wholeRun('result-1');
    await studio.run();
    expect(studio.phase).toBe('done');
    expect(studio.error).toBeUndefined();
  });

  test('that is cancelled is silent and leaves everything as it was', async () => {
    const { studio, link } = await studioWithResult();
    const { result } = studio;
    link.events = [STARTED, ...scaleEvents(1), new Promise<never>(() => undefined)];
    const run = studio.run();
    await vi.waitFor(() => {
      expect(studio.strip.reached).toBe(1);
    });
    studio.cancel();
    await run;
    expect(studio.phase).toBe('done');
    expect(studio.error).toBeUndefined();
    expect(studio.result).toBe(result);
    expect(studio.strip.reached).toBe(3);
  });

  test('gives way to a photo that is opened meanwhile', async () => {
    const { studio, link } = await studioWithPhoto();
    studio.change({ instruction: 'make it night' });
    link.events = [STARTED, ...scaleEvents(1), new Promise<never>(() => undefined)];
    const run = studio.run();
    await studio.opener.openFile(new Blob(['x']), 'other.png');
    await run;
    expect(studio.phase).toBe('ready');
    expect(studio.source?.info.name).toBe('other.png');
    expect(open()).toEqual(['upload-2']);
  });

  test('joins the result before it, until one of them is kept and gives back the memory of the others', async () => {
    const { studio, link } = await studioWithResult();
    link.events = wholeRun('result-2');
    await studio.run();
    expect([studio.result?.info.id, studio.runner.results.length]).toEqual(['result-2', 2]);
    expect(open()).toEqual(['upload-1', 'result-1', 'preview-1', 'preview-2', 'preview-3', 'result-2']);
    studio.keep();
    expect(open()).toEqual(['upload-1', 'result-2']);
    expect(link.closed).toEqual(expect.arrayContaining(['result-1', 'result-1-changed']));
  });

  test('of a wish that was answered draws the next seed, and with the same one on request', async () => {
    const { studio, link } = await studioWithResult();
    expect(studio.runner.repeats).toBe(true);
    await studio.runner.press();
    expect(link.requests.at(-1)).toMatchObject({ seed: 1, temperature: 1 });
    await studio.runner.sameSeed();
    expect(link.requests.at(-1)).toMatchObject({ seed: studio.result?.candidate.seed });
    studio.change({ instruction: 'make it warm' });
    expect(studio.runner.repeats).toBe(false);
    await studio.runner.press();
    expect(link.requests.at(-1)).toMatchObject({ seed: 0, instruction: 'make it warm' });
  });

  test('that was discarded comes back by undoing it, and one that was undone by redoing it', async () => {
    const { studio } = await studioWithResult();
    const result = studio.result?.info.id;
    studio.discard();
    expect([studio.result, studio.canUndo]).toEqual([undefined, true]);
    studio.undo();
    expect([studio.result?.info.id, studio.phase]).toEqual([result, 'done']);
    studio.undo();
    expect([studio.result, studio.canRedo]).toEqual([undefined, true]);
    studio.redo();
    expect(studio.result?.info.id).toBe(result);
  });

  test('that was kept is done: its words are gone, and undoing brings them back', async () => {
    const { studio } = await studioWithResult();
    const words = studio.settings.instruction;
    studio.keep();
    expect([studio.settings.instruction, studio.wish.said]).toEqual(['', [words]]);
    studio.undo();
    expect(studio.settings.instruction).toBe(words);
    studio.redo();
    expect(studio.settings.instruction).toBe('');
  });

  test('is kept by working on, and can be compared with what was before for good', async () => {
    const { studio } = await studioWithResult();
    expect(studio.comparison.before?.picture.info.id).toBe('upload-1');
    expect(studio.goOn()).toBe(true);
    expect([studio.result, studio.source?.info.id]).toEqual([undefined, 'result-1']);
    studio.comparison.on = true;
    expect(studio.shown?.info.id).toBe('upload-1');
    studio.undo();
    expect(studio.comparison.before).toBeUndefined();
  });

  test('that expands shows the source where its border leaves it', async () => {
    const { studio, link } = await studioWithPhoto();
    studio.change({ margins: { left: 7, right: 0, top: 3, bottom: 0 } });
    expect(studio.verb).toBe('expand');
    link.events = wholeRun('result-1');
    await studio.run();
    studio.change({ margins: { left: 0, right: 0, top: 0, bottom: 0 } });
    expect(studio.space).toEqual({ extent: { width: 47, height: 33 }, source: { x: 7, y: 3, width: 40, height: 30 } });
  });
});

describe('deciding', () => {
  test('keeping makes the result the photo, and undo brings back the photo with its mask', async () => {
    const { studio, link } = await studioWithPhoto();
    dab(studio);
    const history = studio.mask.history;
    link.events = wholeRun('result-1');
    await studio.run();
    studio.keep();
    expect(studio.source?.info.id).toBe('result-1');
    expect(studio.mask.painted).toBe(false);
    studio.undo();
    expect(studio.source?.info.id).toBe('upload-1');
    expect(studio.mask.history).toEqual(history);
    expect(studio.mask.painted).toBe(true);
    studio.redo();
    expect(studio.source?.info.id).toBe('result-1');
    expect(studio.canRedo).toBe(false);
  });

  test('painting after an undone keep gives up what could have been redone', async () => {
    const { studio } = await studioWithResult();
    studio.keep();
    studio.undo();
    dab(studio);
    expect(studio.canRedo).toBe(false);
    expect(open()).toEqual(['upload-1']);
  });

  test('discarding, or undo, goes back to the photo', async () => {
    for (const goBack of ['discard', 'undo'] as const) {
      const { studio } = await studioWithResult();
      studio[goBack]();
      expect(studio.result).toBeUndefined();
      expect(studio.phase).toBe('ready');
      expect(studio.shown).toBe(studio.source);
    }
  });

  test.each(['keep', 'discard', 'undo'] as const)('%s takes back what a failed run said of the picture before', async (decision) => {
    const { studio, link } = await studioWithResult();
    link.events = [STARTED, { type: 'failed', error: { code: 'inference.died', message: 'It ended.', advice: '' } }];
    await studio.run();
    expect([studio.phase, studio.error?.code]).toEqual(['failed', 'inference.died']);
    studio[decision]();
    expect([studio.phase, studio.error]).toEqual(['ready', undefined]);
  });

  test('comparing shows the source', async () => {
    const { studio } = await studioWithResult();
    expect(studio.shown).toBe(studio.result);
    studio.comparison.on = true;
    expect(studio.shown).toBe(studio.source);
  });

  test('saving gives the result in the wished format and forgets the copy', async () => {
    const { studio, link } = await studioWithResult();
    const saved = await studio.exporter.save({ format: 'jpeg', quality: 80, keepLocation: true, recipe: false });
    expect(saved?.name).toBe('result-1-as-jpeg.png');
    expect(link.closed).toContain('result-1-as-jpeg');
  });
});

describe('candidates', () => {
  async function studioWithThree() {
    const made = await studioWithPhoto();
    made.studio.change({ instruction: 'make it night', count: 3 });
    const [candidate, done] = ending('result-1');
    if (candidate?.type !== 'candidate' || !done) throw new Error('Expected an ending.');
    const others = ['result-2', 'result-3'].map((picture, i) => ({
      ...candidate,
      candidate: { ...candidate.candidate, index: i + 1, picture, changedMask: `${picture}-changed` },
    }));
    made.link.events = [STARTED, candidate, ...others, done];
    await made.studio.run();
    return made;
  }

  test('are asked for together and walked one by one', async () => {
    const { studio, link } = await studioWithThree();
    expect(link.requests.at(-1)).toMatchObject({ count: 3 });
    expect(studio.runner.results).toHaveLength(3);
    studio.runner.choose(2);
    expect(studio.result?.info.id).toBe('result-3');
    studio.runner.choose(3);
    expect(studio.result?.info.id).toBe('result-3');
  });

  test('that are not kept give their memory back', async () => {
    const { studio, link } = await studioWithThree();
    studio.runner.choose(1);
    studio.keep();
    expect(studio.source?.info.id).toBe('result-2');
    expect(open()).toEqual(['upload-1', 'result-2']);
    expect(link.closed).toEqual(expect.arrayContaining(['result-1', 'result-3', 'result-3-changed']));
  });
});

describe('going on from a scale', () => {
  /** A result of the first two of three scales. */
  async function studioWithPart() {
    const made = await studioWithResult();
    const [candidate, done] = ending('part');
    if (candidate?.type !== 'candidate' || !done) throw new Error('Expected an ending.');
    const tokens = { pack: 'studio', schedule: SCHEDULE.map(([h, w]): [number, number] => [h, w]), tokens: [['a'], ['b', 'c', 'd', 'e']] };
    made.link.events = [STARTED, { ...candidate, candidate: { ...candidate.candidate, tokens, seed: 5 } }, done];
    await made.studio.run();
    return { ...made, tokens };
  }

  test('a part of a result says that it can be continued, with its own tokens and seed', async () => {
    const { studio, link, tokens } = await studioWithPart();
    expect(studio.runner.unfinished).toBe(true);
    link.events = wholeRun('whole');
    await studio.runner.continueRun();
    expect(link.requests.at(-1)).toMatchObject({ resume: tokens, seed: 5, count: 1 });
    expect(studio.runner.unfinished).toBe(false);
  });

  test('a scale can be the last', async () => {
    const { studio, link, tokens } = await studioWithPart();
    await studio.runner.stopAt(1);
    expect(link.requests.at(-1)).toMatchObject({ resume: { ...tokens, tokens: [['a']] }, stopAtScale: 1, seed: 5 });
  });

  test('re-rolling keeps the scales before it and takes chance where the pack takes none', async () => {
    const { studio, link, tokens } = await studioWithPart();
    await studio.runner.reroll(2, 4);
    expect(link.requests.at(-1)).toMatchObject({ resume: { ...tokens, tokens: [['a']] }, seed: 6, count: 4, temperature: 1 });
  });

  test('re-rolling what is least certain keeps the scale, its seed and its temperature, and takes random numbers that no result has had', async () => {
    const { studio, link, tokens } = await studioWithPart();
    link.events = wholeRun('again');
    await studio.runner.redraw(2, { share: 0.25, count: 2 });
    const asked = link.requests.at(-1);
    expect(asked).toMatchObject({ resume: tokens, seed: 5, count: 2, redraw: { scale: 2, share: 0.25, seed: 6 } });
    expect(asked).not.toHaveProperty('temperature');
    expect(studio.result?.request.redraw).toEqual({ scale: 2, share: 0.25, seed: 6 });
    await studio.runner.redraw(1, { share: 1, count: 1 });
    expect(link.requests.at(-1)).toMatchObject({ redraw: { scale: 1, share: 1, seed: 7 } });
  });

  test('a kept step that was re-rolled is so again when it is run again, and not where it is to be another', async () => {
    const { studio, link } = await studioWithPart();
    link.events = wholeRun('again');
    await studio.runner.redraw(2, { share: 0.25, count: 1 });
    studio.keep();
    link.events = wholeRun('once-more');
    await studio.stepEditor.rerun(1);
    expect(link.requests.at(-1)).toMatchObject({ redraw: { scale: 2, share: 0.25, seed: 6 } });
    expect(link.requests.at(-1)).not.toHaveProperty('resume');
    link.events = wholeRun('another');
    await studio.rerollStep(1);
    expect(link.requests.at(-1)).not.toHaveProperty('redraw');
  });

  test('stopping a run asks for the scales that were done', async () => {
    const { studio, link } = await studioWithPhoto();
    studio.change({ instruction: 'make it night' });
    link.events = [STARTED, ...scaleEvents(1), ...scaleEvents(2), new Promise<EditEvent>(() => undefined)];
    const running = studio.run();
    await vi.waitFor(() => {
      expect(studio.strip.reached).toBe(2);
    });
    link.events = wholeRun('stopped');
    await studio.runner.stopHere();
    await running;
    expect(link.requests.at(-1)).toMatchObject({ stopAtScale: 2 });
    expect(studio.result?.info.id).toBe('stopped');
  });
});

test('an earlier instruction is remembered once, the last one first', async () => {
  const { studio, link } = await studioWithPhoto();
  for (const instruction of ['make it night', 'make it warmer', 'make it night ']) {
    studio.change({ instruction });
    link.events = wholeRun('x');
    await studio.run();
  }
  expect(studio.wish.said).toEqual(['make it night', 'make it warmer']);
});

test('a map of one’s own goes with the request, and another takes its place', async () => {
  const { studio, link } = await studioWithPhoto();
  await studio.wish.openMap(new Blob(['m']), 'edges.png');
  await studio.wish.openMap(new Blob(['n']), 'other.png');
  studio.change({ instruction: 'a car', control: { ...studio.settings.control, kind: 'canny' } });
  link.events = wholeRun('held');
  await studio.run();
  expect(link.requests.at(-1)).toMatchObject({ control: { kind: 'canny', map: 'upload-3' } });
  expect(link.closed).toContain('upload-2');
  // What a result was held to stays, in case it is run again.
  studio.wish.dropMap();
  expect([studio.settings.control.map, link.closed.includes('upload-3')]).toEqual([undefined, false]);
});

test('kept pictures are a history that can be walked without losing any', async () => {
  const { studio, link } = await studioWithResult();
  studio.keep();
  link.events = wholeRun('result-2');
  studio.change({ instruction: 'make it warmer' });
  await studio.run();
  studio.keep();
  expect(studio.document.sheets.map(({ picture }) => picture.info.id)).toEqual(['upload-1', 'result-1', 'result-2']);
  studio.goTo(0);
  expect([studio.source?.info.id, studio.document.step]).toEqual(['upload-1', 0]);
  studio.goTo(2);
  studio.goTo(7);
  expect([studio.source?.info.id, studio.document.sheets.length]).toEqual(['result-2', 3]);
});

describe('a document', () => {
  const step = { kind: 'invert' } as const;

  test('goes to a file and comes back from it: pictures, masks, wishes, candidates and settings', async () => {
    const { studio, link } = await studioWithResult();
    studio.mask.add(step);
    studio.keep();
    link.events = wholeRun('result-2');
    studio.change({ instruction: 'make it warm', guidance: 3 });
    await studio.run();
    expect((await studio.exporter.saveProject())?.name).toBe('photo.scalebrush');
    const saved = v.parse(Project, JSON.parse(JSON.stringify(link.saved[0])));
    expect(picturesOf(saved)).toEqual(['upload-1', 'result-1', 'result-2', 'result-2-changed']);
    expect(saved.sheets.map(({ mask, recipe }) => [mask.length, recipe?.request.instruction])).toEqual([
      [1, undefined],
      [0, 'make it night'],
    ]);

    const other = new FakeLink();
    other.project = saved;
    const reopened = new Studio(other);
    await reopened.begin();
    await reopened.opener.openFile(new Blob(['zip']), 'Photo.SCALEBRUSH');
    expect(reopened.error).toBeUndefined();
    expect(reopened.document.sheets.map(({ picture }) => picture.info.id)).toEqual(['upload-1', 'result-1']);
    expect([reopened.phase, reopened.document.step, reopened.result?.candidate.picture]).toEqual(['done', 1, 'result-2']);
    expect(reopened.settings).toEqual(studio.settings);
    // What was shown is in a file now.
    expect(JSON.parse(JSON.stringify(reopened.project))).toEqual({ ...(saved as object), filed: ['result-2'] });
    reopened.undo();
    reopened.undo();
    expect([reopened.settings.instruction, reopened.settings.guidance]).toEqual(['', undefined]);
    reopened.undo();
    expect([reopened.source?.info.id, reopened.mask.history.length]).toEqual(['upload-1', 1]);
  });

  test('that cannot be read leaves what is on the table', async () => {
    const { studio } = await studioWithPhoto();
    await studio.opener.openFile(new Blob(['zip']), 'other.scalebrush');
    expect(studio.error).toBeDefined();
    expect([studio.phase, studio.source?.info.id]).toEqual(['ready', 'upload-1']);
  });

  test('is kept in the journal from deed to deed, and is back at the next start', async () => {
    const link = new FakeLink();
    let kept: unknown = null;
    link.table['journal.write'] = ({ owner, project }) => {
      kept = { owner, project };
      return null;
    };
    link.table['journal.recover'] = () => null;
    const studio = new Studio(link, 'window-one');
    await studio.begin();
    studio.keepJournal();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(kept).toBeNull();
    await studio.opener.openFile(new Blob(['x']), 'photo.png');
    studio.mask.add(step);
    studio.keepJournal();
    await vi.waitFor(() => {
      expect(kept).toMatchObject({ owner: 'window-one', project: { sheets: [{ picture: 'upload-1', mask: { steps: [step] } }] } });
    });
    const { project } = kept as { project: Project };
    link.table['journal.recover'] = () => v.parse(Project, JSON.parse(JSON.stringify(project)));
    const next = new Studio(link, 'window-two');
    await next.begin();
    expect([next.phase, next.mask.history.steps, next.notices[0]?.code]).toEqual(['ready', [step], 'project.recovered']);
    await next.opener.close();
    next.keepJournal();
    await vi.waitFor(() => {
      expect(kept).toEqual({ owner: 'window-two', project: null });
    });
    expect([next.phase, next.document.sheets.length, next.canUndo]).toEqual(['empty', 0, false]);
  });
});
