// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import { picturesOf, Project, withPictures } from '#contract/project.js';
import { Studio } from '#state/studio.svelte.js';
import { tinyCard } from '../../support/tiny-card.js';
import { FakeLink, infoOf, wholeRun } from './fake-link.js';

beforeEach(() => {
  vi.stubGlobal('createImageBitmap', async () => ({ width: 40, height: 30, close: () => undefined }));
  vi.stubGlobal('URL', { createObjectURL: () => 'blob:x', revokeObjectURL: () => undefined });
  HTMLCanvasElement.prototype.getContext = () => null;
});

/** A photograph and two kept steps, `a` and `b`; carried pictures are named after what they are made of. */
async function twoSteps(): Promise<{ studio: Studio; link: FakeLink }> {
  const link = new FakeLink();
  link.table['picture.carry'] = ({ after, onto }) => infoOf(`${after}-on-${onto}`);
  const studio = new Studio(link);
  await studio.begin();
  await studio.opener.openFile(new Blob(['x']), 'photo.png');
  for (const [name, instruction] of [
    ['a', 'make it night'],
    ['b', 'make it warmer'],
  ] as const) {
    studio.change({ instruction });
    dab(studio);
    link.events = wholeRun(name);
    await studio.run();
    studio.keep();
  }
  return { studio, link };
}

function dab(studio: Studio): void {
  studio.mask.add({ kind: 'area', area: { points: [{ x: 1, y: 1 }, { x: 9, y: 1 }, { x: 9, y: 9 }], erase: false } }); // prettier-ignore
}

function pictures(studio: Studio): readonly string[] {
  return studio.document.sheets.map(({ picture }) => picture.info.id);
}

const refuse = (link: FakeLink) => (link.table['picture.carry'] = () => null);

describe('a step', () => {
  test('is left out and taken in again, and both can be undone', async () => {
    const { studio } = await twoSteps();
    await studio.stepEditor.setHidden(1, true);
    expect(pictures(studio)).toEqual(['upload-1', 'upload-1', 'b-on-upload-1']);
    expect(studio.source?.info.id).toBe('b-on-upload-1');
    studio.undo();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    studio.redo();
    expect(studio.document.sheets[1]?.hidden).toBe(true);
    await studio.stepEditor.setHidden(1, false);
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
  });

  test('that a later one builds on stays where it is, and that is said', async () => {
    const { studio, link } = await twoSteps();
    refuse(link);
    await studio.stepEditor.setHidden(1, true);
    await studio.stepEditor.move(2, 1);
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    expect(studio.notices.map(({ code }) => code)).toEqual(['steps.dependent']);
    expect(studio.document.history.done).toEqual([]);
  });

  test('changes places with the one before it', async () => {
    const { studio } = await twoSteps();
    await studio.stepEditor.move(2, 1);
    expect(pictures(studio)).toEqual(['upload-1', 'b-on-upload-1', 'a-on-b-on-upload-1']);
    expect(studio.document.step).toBe(1);
    expect(studio.document.sheets.map(({ recipe }) => recipe?.request.instruction)).toEqual([undefined, 'make it warmer', 'make it night']);
    studio.undo();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
  });

  test('is run again with its wish, mask and seed, and later ones follow', async () => {
    const { studio, link } = await twoSteps();
    studio.change({ instruction: 'something else', seed: 99 });
    link.events = wholeRun('c');
    await studio.stepEditor.rerun(1);
    await vi.waitFor(() => {
      expect(studio.stepEditor.busy).toBe(false);
    });
    expect(link.requests.at(-1)).toMatchObject({
      instruction: 'make it night',
      seed: 0,
      source: 'upload-1',
      mask: expect.any(String) as string,
    });
    expect(pictures(studio)).toEqual(['upload-1', 'c', 'b-on-c']);
    expect([studio.document.step, studio.stepEditor.replacing]).toEqual([1, undefined]);
    studio.undo();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    expect(studio.document.sheets[1]?.held?.length).toBe(1);
  });

  test('lies less strongly over the one before, what follows comes along, and it can be undone', async () => {
    const { studio, link } = await twoSteps();
    link.table['picture.blend'] = ({ below, above, opacity }) => infoOf(`${above}-at-${opacity * 100}-over-${below}`);
    studio.goTo(1);
    studio.fader.pull(0.25);
    expect(studio.fader.faded).toMatchObject({ opacity: 0.25, above: { info: { id: 'a' } }, below: { info: { id: 'upload-1' } } });
    await studio.fader.settle();
    expect(pictures(studio)).toEqual(['upload-1', 'a-at-25-over-upload-1', 'b-on-a-at-25-over-upload-1']);
    expect([studio.fader.opacity, studio.fader.faded]).toEqual([0.25, undefined]);
    expect(studio.exporter.recipe?.request).toMatchObject({ instruction: 'make it night', opacity: 0.25 });
    expect(v.parse(Project, studio.project).sheets.map(({ opacity }) => opacity)).toEqual([undefined, 0.25, undefined]);
    // Its run is still there: in full it is what it was.
    studio.fader.pull(1);
    await studio.fader.settle();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    studio.undo();
    expect(pictures(studio)[1]).toBe('a-at-25-over-upload-1');
    studio.undo();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
  });

  test('that is run again lies as strongly over the one before as it did', async () => {
    const { studio, link } = await twoSteps();
    link.table['picture.blend'] = ({ below, above, opacity }) => infoOf(`${above}-at-${opacity * 100}-over-${below}`);
    await studio.stepEditor.fade(1, 0.5);
    link.events = wholeRun('c');
    await studio.stepEditor.rerun(1);
    await vi.waitFor(() => {
      expect(studio.stepEditor.busy).toBe(false);
    });
    expect(pictures(studio)).toEqual(['upload-1', 'c-at-50-over-upload-1', 'b-on-c-at-50-over-upload-1']);
    expect(studio.document.sheets[1]?.opacity).toBe(0.5);
  });

  test('marks those that build on it when it is run again', async () => {
    const { studio, link } = await twoSteps();
    refuse(link);
    link.events = wholeRun('c');
    await studio.rerollStep(1);
    await vi.waitFor(() => {
      expect(studio.notices.map(({ code }) => code)).toEqual(['steps.stale']);
    });
    expect(link.requests.at(-1)).toMatchObject({ seed: 1, temperature: 1 });
    expect(pictures(studio)).toEqual(['upload-1', 'c', 'b']);
    expect(studio.document.sheets.map(({ stale }) => stale === true)).toEqual([false, false, true]);
    // Run again in its turn, it stands on the new one.
    link.events = wholeRun('d');
    await studio.stepEditor.rerun(2);
    expect(link.requests.at(-1)).toMatchObject({ source: 'c' });
    expect(studio.document.sheets[2]).toMatchObject({ change: { before: 'c', after: 'd' } });
    expect(studio.document.sheets[2]?.stale).toBeFalsy();
  });

  test('is run again with its own control map, which goes to a file with it', async () => {
    const { studio, link } = await twoSteps();
    await studio.wish.openMap(new Blob(['m']), 'edges.png');
    const own = studio.settings.control.map;
    studio.change({ instruction: 'a car', control: { ...studio.settings.control, kind: 'canny' } });
    link.events = wholeRun('c');
    await studio.run();
    studio.keep();
    await studio.wish.openMap(new Blob(['n']), 'other.png');
    link.events = wholeRun('d');
    await studio.stepEditor.rerun(3);
    expect(link.requests.at(-1)).toMatchObject({ control: { kind: 'canny', map: own?.id } });
    expect(studio.document.sheets[3]?.map).toEqual(own);
    const project = v.parse(Project, JSON.parse(JSON.stringify(studio.project)));
    expect(project.sheets[3]?.map).toEqual(own);
    const renamed = withPictures(project, (id) => `new-${id}`);
    expect([renamed.sheets[3]?.map?.id, picturesOf(renamed).includes(`new-${own!.id}`)]).toEqual([`new-${own!.id}`, true]);
    await studio.stepEditor.rerun(1);
    expect(link.requests.at(-1)?.control).toBeUndefined();
  });

  test('with all others that are marked is run again at one press, the earliest first', async () => {
    const { studio, link } = await twoSteps();
    studio.change({ instruction: 'make it cooler' });
    link.events = wholeRun('c');
    await studio.run();
    studio.keep();
    refuse(link);
    const made = ['A', 'B', 'C'];
    const run = link.stream;
    link.stream = ((...args: Parameters<typeof run>) => {
      link.events = wholeRun(made.shift() ?? '');
      return run(...args);
    }) as typeof run;
    await studio.stepEditor.rerun(1);
    // The third stands on the second as it was; it is marked when that one has changed.
    expect(studio.document.sheets.map(({ stale }) => stale === true)).toEqual([false, false, true, false]);
    await studio.stepEditor.rerunStale();
    expect(pictures(studio)).toEqual(['upload-1', 'A', 'B', 'C']);
    expect(link.requests.slice(-2).map(({ instruction, source }) => [instruction, source])).toEqual([
      ['make it warmer', 'A'],
      ['make it cooler', 'B'],
    ]);
    expect(studio.document.sheets.some(({ stale }) => stale === true)).toBe(false);
    studio.undo();
    expect(pictures(studio).at(-1)).toBe('c');
  });

  test('that comes to nothing ends it: those behind stay marked', async () => {
    const { studio, link } = await twoSteps();
    refuse(link);
    link.events = wholeRun('A');
    await studio.stepEditor.rerun(1);
    link.events = [{ type: 'failed', error: { code: 'inference.died', message: 'It died.', advice: '' } }];
    await studio.stepEditor.rerunStale();
    expect([studio.phase, studio.document.sheets[2]?.stale]).toEqual(['failed', true]);
    expect(link.requests).toHaveLength(4);
  });

  test('is changed in the window: another mask does not drop the steps behind it, and leaving changes nothing', async () => {
    const { studio } = await twoSteps();
    studio.stepEditor.edit(1);
    expect([studio.source?.info.id, studio.settings.instruction, studio.mask.history.length]).toEqual(['upload-1', 'make it night', 1]);
    dab(studio);
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    studio.goTo(2);
    expect([studio.stepEditor.replacing, studio.source?.info.id]).toEqual([undefined, 'b']);
  });

  test('and every deed on it go to a file and come back', async () => {
    const { studio, link } = await twoSteps();
    await studio.stepEditor.setHidden(1, true);
    await studio.exporter.saveProject();
    link.project = v.parse(Project, JSON.parse(JSON.stringify(link.saved.at(-1))));
    expect(link.project.others).toHaveLength(2);
    await studio.opener.openFile(new Blob(['zip']), 'photo.scalebrush');
    expect(pictures(studio)).toEqual(['upload-1', 'upload-1', 'b-on-upload-1']);
    studio.undo();
    expect(pictures(studio)).toEqual(['upload-1', 'a', 'b']);
    studio.redo();
    expect(studio.document.sheets[1]?.hidden).toBe(true);
  });
});

test('no picture is let go of while a deed can bring it back', async () => {
  const { studio, link } = await twoSteps();
  await studio.stepEditor.setHidden(1, true);
  expect(link.closed.filter((id) => ['a', 'b', 'upload-1'].includes(id))).toEqual([]);
  studio.undo();
  dab(studio);
  // The hidden version cannot be redone any more.
  expect(link.closed).toContain('b-on-upload-1');
  expect(link.closed.filter((id) => ['a', 'b', 'upload-1'].includes(id))).toEqual([]);
});

describe('several masks', () => {
  test('are kept from step to step, and deleting one can be undone', async () => {
    const { studio, link } = await twoSteps();
    dab(studio);
    studio.document.takeMasks({
      masks: [
        { name: 'sky', history: studio.mask.history },
        { name: '', history: { steps: [], length: 0 } },
      ],
      active: 1,
    });
    expect(studio.mask.painted).toBe(false);
    link.events = wholeRun('c');
    await studio.run();
    studio.keep();
    expect(studio.mask.list.masks.map(({ name, history }) => [name, history.length])).toEqual([
      ['sky', 1],
      ['', 0],
    ]);
    studio.document.takeMasks({ masks: studio.mask.list.masks.slice(1), active: 0 });
    studio.undo();
    expect(studio.mask.list.masks[0]?.name).toBe('sky');
    studio.document.takeMasks({ ...studio.mask.list, active: 0 });
    expect(studio.mask.painted).toBe(true);
    const saved = v.parse(Project, JSON.parse(JSON.stringify(studio.project)));
    expect(saved.sheets.at(-1)?.masks?.masks.map(({ name }) => name)).toEqual(['sky', '']);
  });
});

test('layers name every step, its place, and its mask', async () => {
  const { studio, link } = await twoSteps();
  expect((await studio.exporter.saveLayers())?.name).toBe('photo.psd');
  expect(link.layered.at(-1)?.layers).toEqual([
    { name: 'photo.png', picture: 'upload-1', hidden: false, left: 0, top: 0 },
    { name: 'make it night', picture: 'a', hidden: false, left: 0, top: 0, mask: expect.any(String) as string },
    { name: 'make it warmer', picture: 'b', hidden: false, left: 0, top: 0, mask: expect.any(String) as string },
  ]);
});

test('a picture that brings its recipe brings every setting back', async () => {
  const link = new FakeLink();
  link.table['packs.info'] = () => ({ name: 'studio', card: { ...tinyCard, version: '1' } }) as never;
  const studio = new Studio(link);
  await studio.begin();
  const request = {
    task: 'edit' as const,
    pack: 'studio',
    instruction: '把车变成红色 🚗',
    preset: 'fast' as const,
    guidance: 3,
    control: { kind: 'canny' as const, strength: 0.5, fromScale: 2, toScale: 64 },
  };
  const tokens = { pack: 'studio', schedule: [], tokens: [] };
  const recipe = { scalebrush: 1 as const, pack: { name: 'studio', version: '1', sha256: [] }, request, seed: 41, tokens };
  const upload = link.upload.bind(link);
  link.upload = async (file, name) => ({ ...(await upload(file, name)), recipe });
  await studio.opener.openFile(new Blob(['x']), 'made.png');
  expect(studio.settings).toMatchObject({ instruction: '把车变成红色 🚗', seed: 41, preset: 'fast', guidance: 3 });
  expect(studio.settings.control).toMatchObject({ kind: 'canny', strength: 0.5, fromScale: 2, toScale: undefined });
  expect(studio.notices.map(({ code }) => code)).toEqual(['recipe.restored']);
  expect(studio.exporter.recipe).toEqual({ request, seed: 41, tokens });
});
