import { expect, test } from 'vitest';
import sharp from 'sharp';
import * as v from 'valibot';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { LastSeen, previewControl } from '#engine/pipelines/preview-control.js';
import { fakeModel } from '../../../support/fake-model.js';
import { maskPng, scenePng } from '../../../support/pictures.js';

const SIDE = 32;
const pictures = { source: await scenePng(96, 64), map: await maskPng({ width: 96, height: 64 }, { x: 0, y: 0, width: 48, height: 64 }) };

function preview(control: EditRequestInput['control'], seen = new LastSeen()): Promise<Uint8Array> {
  const request = v.parse(EditRequest, { task: 'edit', source: 'source', instruction: 'red', control });
  return previewControl({ request, pictures, model: fakeModel() }, seen);
}

async function levels(png: Uint8Array): Promise<Buffer> {
  const { data, info } = await sharp(png).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([SIDE, SIDE]);
  return data;
}

test('edges are shown at the size of the model, and fewer of them for higher thresholds', async () => {
  const count = async (low: number, high: number) =>
    (await levels(await preview({ kind: 'canny', low, high }))).filter((v) => v > 127).length;
  expect(await count(50, 100)).toBeGreaterThan(await count(400, 800));
});

test('a map of the user is shown as it will be read, inverted where that is wished', async () => {
  const [plain, inverted] = [
    await levels(await preview({ kind: 'canny', map: 'map' })),
    await levels(await preview({ kind: 'canny', map: 'map', invert: true })),
  ];
  expect([plain[2], plain[29]]).toEqual([255, 0]);
  expect([inverted[2], inverted[29]]).toEqual([0, 255]);
});

test('the photograph is read once for many thresholds', async () => {
  const seen = new LastSeen();
  let reads = 0;
  const get = seen.get.bind(seen);
  seen.get = (key, make) =>
    get(key, () => {
      reads += 1;
      return make();
    });
  for (const low of [50, 60, 70]) await preview({ kind: 'canny', low }, seen);
  expect(reads).toBe(1);
});

test('with a mask the map is that of the part that is worked on', async () => {
  const big = { width: 640, height: 480 };
  const masked = { source: await scenePng(640, 480), mask: await maskPng(big, { x: 20, y: 300, width: 40, height: 40 }) };
  const of = async (mask?: string) => {
    const request = v.parse(EditRequest, {
      task: 'edit',
      source: 'source',
      instruction: 'red',
      control: { kind: 'canny' },
      ...(mask && { mask }),
    });
    return levels(await previewControl({ request, pictures: masked, model: fakeModel() }, new LastSeen()));
  };
  const cut = await sharp(masked.source).extract({ left: 0, top: 256, width: 128, height: 128 }).png().toBuffer();
  const alone = v.parse(EditRequest, { task: 'edit', source: 'cut', instruction: 'red', control: { kind: 'canny' } });
  expect(await of('mask')).not.toEqual(await of());
  expect(await of('mask')).toEqual(
    await levels(await previewControl({ request: alone, pictures: { cut }, model: fakeModel() }, new LastSeen())),
  );
});

test('without control there is no map, and depth needs an estimator', async () => {
  await expect(preview(undefined)).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(preview({ kind: 'depth' })).rejects.toMatchObject({ code: 'pack.unable' });
});
