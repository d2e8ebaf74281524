import sharp from 'sharp';
import { expect, test } from 'vitest';
import * as v from 'valibot';
import { ControlSettings } from '#contract/request.js';
import { mapNotices, openMap, readyPlane } from '#engine/pipelines/ready-map.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import type { PipelineJob } from '#engine/pipelines/model.js';
import { makePhoto, makeProfile } from '../image/pictures.js';

const [canvas, size] = [
  { width: 120, height: 80 },
  { width: 32, height: 32 },
];
const whole = { x: 0, y: -20, width: 120, height: 120 };
const corner = { x: 80, y: 40, width: 40, height: 40 };

/** A ramp from left to right, 0 … top. */
async function ramp({ width, height } = canvas, top = 255, deep = false): Promise<Uint8Array> {
  const values = Array.from({ length: width * height }, (_, i) => Math.round(((i % width) * top) / (width - 1)));
  const samples = deep ? Uint16Array.from(values) : Uint8Array.from(values);
  const picture = sharp(samples, { raw: { width, height, channels: 1 } });
  return new Uint8Array(await (deep ? picture.toColourspace('grey16') : picture).png().toBuffer());
}

async function mapOf(bytes: Uint8Array, settings: object = {}) {
  const control = v.parse(ControlSettings, { kind: 'depth', map: 'map', ...settings });
  const ready = await openMap({ request: { control } as PipelineJob['request'], pictures: { map: bytes } });
  if (!ready) throw new Error('Expected a map.');
  const plane = async (frame = whole) => (await readyPlane(ready, control, { canvas, frame, size })).data;
  return { ready, plane };
}

const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a ready map is cut as the picture is: what lies outside the frame has no part in it, at any size of the map', async () => {
  for (const extent of [canvas, { width: 60, height: 40 }, { width: 480, height: 320 }]) {
    const { plane } = await mapOf(await ramp(extent));
    // The ramp from two thirds of the way on.
    expect(mean(await plane(corner))).toBeCloseTo(5 / 6, 1);
    expect(mean(await plane())).toBeCloseTo(1 / 2, 1);
  }
});

test('a ready map obeys near, far and invert, and an edge map its thresholds', async () => {
  const plain = await (await mapOf(await ramp())).plane();
  const held = await (await mapOf(await ramp(), { near: 0.5, far: 0.4 })).plane();
  expect(held).toEqual(plain.map((value) => Math.min(1, Math.max(0, (value - 0.4) / (0.5 - 0.4)))));
  const inverted = await (await mapOf(await ramp(), { invert: true })).plane();
  expect(inverted).toEqual(plain.map((value) => 1 - value));
  const edges = await (await mapOf(await ramp(), { kind: 'canny', low: 765, high: 765 })).plane();
  expect(edges).toEqual(plain.map((value) => (value > 0.5 ? 1 : 0)));
});

test('maps of 16 bits keep their range; millimetres, and edges of 0 and 1, are stretched with a notice', async () => {
  const plain = await mapOf(await ramp());
  const deep = await mapOf(await ramp(canvas, 65535, true));
  expect(deep.ready.notices).toEqual([]);
  for (const other of [await mapOf(await ramp(canvas, 4000, true)), await mapOf(await ramp(canvas, 60))]) {
    expect(other.ready.notices.map(({ code }) => code)).toEqual(['map.stretched']);
    expect(Math.abs(mean(await other.plane()) - mean(await plain.plane()))).toBeLessThan(0.02);
  }
});

test('a map of another shape is fitted, and that is said', async () => {
  const { ready } = await mapOf(await ramp({ width: 50, height: 80 }));
  expect(mapNotices(ready, { canvas }).map(({ code }) => code)).toEqual(['map.fitted']);
  expect(mapNotices(ready, { canvas, kept: { x: 9, y: 0, width: 100, height: 160 } })).toEqual([]);
});

test('of a map that breaks off, or has further frames, is said that not all of it is used', async () => {
  const whole = await sharp(await ramp({ width: 480, height: 320 }))
    .jpeg()
    .toBuffer();
  const film = await sharp([await ramp(), await ramp(canvas, 200)], { join: { animated: true } }).webp({ lossless: true }).toBuffer(); // prettier-ignore
  const said = async (bytes: Uint8Array) => (await mapOf(bytes)).ready.notices.map(({ code }) => code);
  expect(await said(whole)).toEqual([]);
  expect(await said(whole.subarray(0, whole.length * 0.7))).toEqual(['map.incomplete']);
  expect(await said(film)).toEqual(['map.incomplete']);
});

test('samples of a map are amounts: no profile changes them, and where it is transparent there is nothing', async () => {
  const expected = await (await mapOf(await ramp())).plane();
  const png = { format: 'png', quality: 90 } as const;
  const gray = Uint8Array.from({ length: canvas.width * canvas.height }, (_, i) =>
    Math.round(((i % canvas.width) * 255) / (canvas.width - 1)),
  );
  const blank = makePhoto({ ...canvas, channels: 4 });
  const linear = makeProfile([[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]], 1); // prettier-ignore
  const drawn = (colour: (value: number) => readonly number[]) => Uint8Array.from(Array.from(gray, colour).flat());
  const tagged = { ...makePhoto(canvas), samples: drawn((value) => [value, value, value]), icc: linear };
  const files = [tagged, ...[255, 0].map((c) => ({ ...blank, samples: drawn((value) => [c, c, c, value]) }))];
  for (const file of files) {
    const plane = await (await mapOf(await encodePhoto(file, png))).plane();
    expect(plane.reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0)).toBeLessThan(1e-6);
  }
});

test.each(['segmentation', 'normal'])('the colours of a %s map stay, and none is brighter for settings of a depth', async (kind) => {
  const red = await sharp({ create: { ...canvas, channels: 3, background: { r: 200, g: 30, b: 40 } } }).png().toBuffer(); // prettier-ignore
  const { ready, plane } = await mapOf(red, { kind, near: 0.5, far: 0.4 });
  const values = await plane({ x: 0, y: 0, ...canvas });
  const middle = [0, 1, 2].map((channel) => Math.round(values[channel * size.width * size.height + 500]! * 255));
  expect([middle, ready.notices, values.length]).toEqual([[200, 30, 40], [], 3 * size.width * size.height]);
  const inverted = await (await mapOf(red, { kind, invert: true })).plane({ x: 0, y: 0, ...canvas });
  expect(Math.round(inverted[500]! * 255)).toBe(55);
});
