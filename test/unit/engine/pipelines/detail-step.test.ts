import sharp from 'sharp';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { Rect } from '#base/geometry.js';
import { FileRecipe } from '#contract/recipe.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import type { PipelineEvent } from '#engine/pipelines/model.js';
import { detailBytesOf } from '#engine/pipelines/detail-step.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import { fakeModel } from '../../../support/fake-model.js';
import { maskPng, renderScene, scenePng } from '../../../support/pictures.js';

const size = { width: 260, height: 200 };
const pictures = {
  source: await scenePng(size.width, size.height),
  mask: await maskPng(size, { x: 100, y: 80, width: 40, height: 36 }),
  everything: await maskPng(size, { x: 0, y: 0, ...size }),
  p3: await drawn().withIccProfile('p3').png().toBuffer(),
  lined: await grid(() => false),
  painted: await grid(isHole),
  lying: await drawn().rotate(270).withMetadata({ orientation: 6 }).png().toBuffer(),
};

/** Whether a sample lies under the mask. */
function isHole(i: number): boolean {
  return Math.abs((Math.trunc(i / 3) % size.width) - 119.5) < 20 && Math.abs(Math.trunc(i / 3 / size.width) - 97.5) < 18;
}

/** Slanting beams on a ground with grain; other ones where `isOther`. */
async function grid(isOther: (i: number) => boolean): Promise<Uint8Array> {
  const samples = Uint8Array.from({ length: size.width * size.height * 3 }, (_, i) => {
    const [x, y] = [Math.trunc(i / 3) % size.width, Math.trunc(i / 3 / size.width)];
    const isBeam = isOther(i) ? (x - y + 200) % 11 < 5 : (x + 0.1 * y) % 26 < 6 || (y + 0.08 * x) % 30 < 6;
    return (isBeam ? 60 : 170) + (Math.imul(Math.trunc(i / 3), 2654435761) >>> 28);
  });
  return new Uint8Array(
    await sharp(samples, { raw: { ...size, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

function drawn() {
  return sharp(renderScene(size.width, size.height), { raw: { ...size, channels: 3 } });
}

const fill = { task: 'fill', source: 'source', mask: 'mask', temperature: 1, seed: 4 } as const;

async function run(request: EditRequestInput): Promise<PipelineEvent[]> {
  const model = fakeModel();
  const job = { request: v.parse(EditRequest, request), pictures, model, provider: 'fake', loadMs: 0 };
  const events: PipelineEvent[] = [];
  const running = runPipeline({ ...job, estimate: () => ({ ms: 1, bytes: 1 }), peakRssBytes: () => 1 }, NEVER_CANCELLED);
  for await (const event of running) events.push(event);
  return events;
}

async function only(request: EditRequestInput) {
  const [candidate] = (await run(request)).flatMap((event) => (event.type === 'candidate' ? [event.candidate] : []));
  if (!candidate) throw new Error('Expected a candidate.');
  return candidate;
}

describe('detail scales', () => {
  it('come behind the model’s, up to the photograph’s own, each with what it looks like', async () => {
    const events = await run(fill);
    const told = events.flatMap((event) => (event.type === 'detail' ? [event] : []));
    const { of } = told[0]!;
    expect(of).toBeGreaterThan(1);
    expect(told.map(({ scale }) => scale)).toEqual(Array.from({ length: of }, (_, k) => k + 1));
    expect(told.at(-1)!.size).toEqual({ width: told[0]!.region.width, height: told[0]!.region.height });
    expect((await openPhoto(told[0]!.picture!)).extent).toEqual(told[0]!.size);
    expect(events.findIndex(({ type }) => type === 'detail')).toBeGreaterThan(events.findLastIndex(({ type }) => type === 'scale'));
  });

  it('are counted in the forecast of memory where the hole is known, and not where they are off', () => {
    const extent = { width: 4000, height: 3000 };
    const bytes = (request: EditRequestInput, kept?: Rect) => {
      const values = new Uint8Array(extent.width * extent.height);
      for (let y = 1000; y < 1400; y++) values.fill(255, y * extent.width + 1500, y * extent.width + 1900);
      const regions = [{ reach: { x: 0, y: 0, ...extent } }];
      return detailBytesOf(
        { request: v.parse(EditRequest, request) },
        kept ? { extent, kept, regions } : { extent, mask: { extent, values }, regions },
      );
    };
    // A window of three times the hole's sides, at least its five bytes a pixel.
    expect(bytes(fill)).toBeGreaterThan(5 * 1200 ** 2);
    expect(bytes(fill)).toBeLessThan(400 * 2 ** 20);
    expect(bytes({ ...fill, detail: 'off' })).toBe(0);
    const expand = { task: 'expand', source: 'source', margins: { right: 400 } } as const;
    expect(bytes(expand, { x: 0, y: 0, width: 3600, height: 3000 })).toBeGreaterThan(5 * 800 * 3000);
  });

  it('are left out where they are off, where the model’s picture is wanted whole, and where there is no photograph', async () => {
    for (const request of [
      { ...fill, detail: 'off' },
      { ...fill, whole: true },
      { task: 'generate', instruction: 'red' },
    ] as const) {
      expect((await run(request)).filter(({ type }) => type === 'detail')).toEqual([]);
      expect((await only(request)).detail).toBeUndefined();
    }
  });

  it('say who led them', async () => {
    expect((await only(fill)).detail).toMatchObject({ lead: 0.3, ledBy: 'photograph', seeds: [4, 4] });
    expect((await only({ ...fill, detail: 2 })).detail).toMatchObject({ lead: 2, ledBy: 'model' });
  });

  it('go on after a stop as if there had been none', async () => {
    const through = await only(fill);
    const stopped = await only({ ...fill, stopAtDetail: 1 });
    expect(stopped.detail).toMatchObject({ scale: 1, of: through.detail!.of });
    expect(stopped.picture).not.toEqual(through.picture);
    const resumed = await only({ ...fill, resume: stopped.tokens, detailSeeds: [...stopped.detail!.seeds] });
    expect(resumed.picture).toEqual(through.picture);
  });

  it('go on after a stop as if there had been none where straight edges run through the hole, whatever lies in it', async () => {
    const lined = { ...fill, source: 'lined' } as const;
    const through = await only(lined);
    for (let scale = 1; scale < through.detail!.of; scale++) {
      const stopped = await only({ ...lined, stopAtDetail: scale });
      expect(stopped.picture).not.toEqual(through.picture);
      const resumed = await only({ ...lined, resume: stopped.tokens, detailSeeds: [...stopped.detail!.seeds] });
      expect(resumed.picture).toEqual(through.picture);
    }
    expect((await only({ ...lined, source: 'painted' })).picture).toEqual(through.picture);
  });

  it('are tried again from one of them with another seed', async () => {
    const again = await only({ ...fill, detailSeeds: [4, 90] });
    expect(again.detail!.seeds).toEqual([4, 90]);
    expect(again.picture).not.toEqual((await only(fill)).picture);
    const [, second] = (await run({ ...fill, count: 2, detailSeeds: [4, 89] })).flatMap((event) =>
      event.type === 'candidate' ? [event.candidate] : [],
    );
    expect(second!.detail!.seeds).toEqual([4, 90]);
  });

  it('copy nothing from where it is forbidden, and say so where nothing is left', async () => {
    const { notices } = await only({ ...fill, copy: { mask: 'everything' } });
    expect(notices).toMatchObject([{ code: 'detail.no-source' }]);
    expect((await only({ ...fill, copy: { mask: 'everything', only: true } })).picture).toEqual((await only(fill)).picture);
  });

  it('keep the old picture of a grown one to the last bit', async () => {
    const margins = { left: 0, right: 30, top: 20, bottom: 0 };
    const grown = await only({ task: 'expand', source: 'source', margins, seed: 1 });
    expect(grown.detail).toBeDefined();
    expect(grown.changedOutsideMask).toBe(0);
  });

  it('are written in all of a border around a corner', async () => {
    const events = await run({ task: 'expand', source: 'source', margins: { right: 30, top: 20 }, seed: 1 });
    const [told] = events.flatMap((event) => (event.type === 'detail' ? [event] : []));
    expect(told!.region).toEqual({ x: 0, y: 0, width: size.width + 30, height: size.height + 20 });
  });

  it('fill what is asked away under a mask from around it, led by nobody, where the model does not know what is meant', async () => {
    const away = { task: 'edit', source: 'source', mask: 'mask', instruction: 'remove red', seed: 4 } as const;
    const { detail, picture } = await only(away);
    expect(detail).toMatchObject({ lead: 0, ledBy: 'photograph' });
    expect((await openPhoto(picture)).samples).toEqual((await openPhoto((await only({ ...fill, detail: 0 })).picture)).samples);
    expect((await only({ ...away, instruction: 'red' })).picture).not.toEqual(picture);
  });

  it('read and keep what lies next to the mask: there is no soft edge unless one is asked for', async () => {
    const beside = async (request: EditRequestInput) => {
      const [source, { picture }] = [await openPhoto(pictures.source), await only(request)];
      const { samples } = await openPhoto(picture);
      return samples.filter((value, i) => value !== source.samples[i] && !isHole(i)).length;
    };
    expect(await beside(fill)).toBe(0);
    expect(await beside({ ...fill, blend: 4 })).toBeGreaterThan(0);
    expect(await beside({ ...fill, detail: 'off' })).toBeGreaterThan(0);
  });

  it('lie where the picture is seen upright', async () => {
    const { picture } = await only({ ...fill, source: 'lying' });
    expect((await openPhoto(picture)).samples).toEqual((await openPhoto((await only(fill)).picture)).samples);
  });

  it('keep what lies beside the hole, and the colours, of a picture with a profile', async () => {
    const source = await openPhoto(pictures.p3);
    const { picture, changedOutsideMask } = await only({ ...fill, source: 'p3', blend: 0 });
    const result = await openPhoto(picture);
    expect(changedOutsideMask).toBe(0);
    expect(result.icc).toEqual(source.icc);
    expect(result.samples.filter((_, i) => !isHole(i))).toEqual(source.samples.filter((_, i) => !isHole(i)));
    // Copied as they are: only a seam's melt moves a few of them by little.
    const known = new Set(source.samples);
    const copied = [...result.samples].filter((_, i) => isHole(i));
    expect(copied.filter((value) => known.has(value)).length / copied.length).toBeGreaterThan(0.9);
  });

  it('are in the recipe', async () => {
    const { picture } = await only({ ...fill, detail: 1, detailSeeds: [5, 6], output: { format: 'png', recipe: true } });
    const recipe = v.parse(FileRecipe, JSON.parse((await readFacts(picture)).recipeText ?? ''));
    expect(recipe.request).toMatchObject({ detail: 1, detailSeeds: [5, 6] });
  });
});
