import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Rect } from '#base/geometry.js';
import type { ColourMap, Tone } from '#engine/image/compositing/colour-map.js';
import { compositePlainly, type RowEdit, type RowsJob } from '#engine/image/compositing/composite-rows.js';
import type { ObjectMap } from '#engine/image/compositing/objects/object-map.js';
import { GRID } from '#engine/image/compositing/own-colours.js';
import { compositeRows } from '#engine/image/compositing/row-kernel.js';
import type { Photo } from '#engine/image/files/photo.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import { EVERYWHERE, type Weight } from '#engine/image/working/mask.js';
import { floats } from '#engine/tensor/tensor.js';
import { FUZZ_FACTOR } from '../../../../support/fuzz.js';

/** A stream of numbers in 0..1 from one (Steele and Vigna's SplitMix, cut to 32 bits). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

const layout = fc.record({
  width: fc.integer({ min: 1, max: 70 }),
  height: fc.integer({ min: 1, max: 12 }),
  channels: fc.constantFrom(1, 2, 3, 4),
  deep: fc.boolean(),
  edit: fc.constantFrom('lines', 'curves', 'gray', 'object', 'two colours', 'table', 'windows', 'pure windows', 'decoded'),
  weight: fc.constantFrom('everywhere', 'soft', 'sparse'),
  inside: fc.constantFrom('all', 'part'),
  opaque: fc.boolean(),
  inPlace: fc.boolean(),
  /** Of the model's picture over the photo's width: below 1 its maps are enlarged. */
  model: fc.constantFrom(0.05, 0.2, 0.6, 1, 1.7),
  seed: fc.integer(),
});
type Layout = typeof layout extends fc.Arbitrary<infer T> ? T : never;

function jobOf({ width, height, channels, deep, weight, inside, opaque, inPlace, ...rest }: Layout): RowsJob {
  const next = dice(rest.seed);
  const full = deep ? 65535 : 255;
  const length = width * height * channels;
  const samples = (deep ? new Uint16Array(length) : new Uint8Array(length)).map(() => Math.round(full * Math.min(1, next() * 1.1)));
  const photo: Photo = { extent: { width, height }, channels: channels, samples, format: 'png', notices: [] };
  const whole = { x: 0, y: 0, width, height };
  const part = { x: Math.trunc(width / 3), y: Math.trunc(height / 3), width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const region = inside === 'all' ? whole : part;
  return {
    photo,
    samples: inPlace ? samples : samples.slice(),
    changed: new Uint8Array(width * height),
    region,
    weight: weightOf(weight, photo, next),
    edit: editOf({ ...rest, region, width, height }, next),
    opaque,
  };
}

function weightOf(kind: Layout['weight'], { extent }: Photo, next: () => number): Weight {
  if (kind === 'everywhere') return EVERYWHERE;
  const values = new Uint8Array(extent.width * extent.height).map(() => Math.round(255 * next()));
  return { extent, values: kind === 'soft' ? values : values.map((value) => (value > 200 ? value : 0)) };
}

function editOf(
  { edit, model, region, width, height }: Pick<Layout, 'edit' | 'model' | 'width' | 'height'> & { region: Rect },
  next: () => number,
): RowEdit {
  const around = (middle: number, reach: number) => middle + reach * (2 * next() - 1);
  const affine = () => [0, 1, 2].flatMap((out) => [0, 1, 2].map((input) => around(out === input ? 1 : 0, 0.5)));
  if (edit === 'object' || edit === 'two colours') {
    const first = [...affine(), around(0, 0.2), around(0, 0.2), around(0, 0.2)];
    const map: ObjectMap = { first };
    const second = { affine: [...affine(), 0.1, 0, -0.1], along: [around(0, 4), around(0, 4), around(0, 4), around(0.5, 1)] as const };
    return { kind: 'mapped', map: edit === 'object' ? map : { first, second } };
  }
  if (edit === 'table') {
    const table = new Float32Array(GRID ** 3 * 4).map((_, i) => (i % 4 === 3 ? 0 : around(0, 0.3)));
    return { kind: 'tabled', table };
  }
  if (edit === 'lines' || edit === 'curves' || edit === 'gray') {
    const tones = [0, 1, 2].map((own) => toneOf(edit !== 'lines', own, around));
    const map: ColourMap = { tones: (edit === 'gray' ? [tones[0]!, tones[0]!, tones[0]!] : tones) as unknown as ColourMap['tones'] };
    return { kind: 'mapped', map };
  }
  const [columns, rows] = [Math.max(2, Math.round(width * model)), Math.max(2, Math.round(height * model))];
  const frame = { x: -1, y: -2, width: width + 3, height: height + 2 };
  const sampler = (channels: number, value: (channel: number) => number, kernel: 'linear' | 'cubic' | 'lanczos') => {
    const map = floats([channels, rows, columns]);
    map.data.forEach((_, i) => (map.data[i] = value(Math.trunc(i / (rows * columns)))));
    return new FrameSampler(map, { frame, region, kernel });
  };
  const decoded = sampler(3, next, frame.width >= columns ? 'cubic' : 'lanczos');
  if (edit === 'decoded') return { kind: 'decoded', decoded };
  const share = edit === 'pure windows' ? () => 0 : () => (next() > 0.6 ? next() : 0);
  return {
    kind: 'transfer',
    decoded,
    matrix: sampler(9, (k) => around(k % 4 === 0 ? 1 : 0, 0.4), 'linear'),
    offset: sampler(3, () => around(0, 0.2), 'linear'),
    share: sampler(1, share, 'linear'),
  };
}

function toneOf(isBent: boolean, own: number, around: (middle: number, reach: number) => number): Tone {
  const weights = [0, 1, 2].map((c) => around(c === own ? 1 : 0, 0.3)) as unknown as Tone['weights'];
  const offset = around(0, 0.1);
  return isBent ? { weights, offset, curve: Float32Array.from({ length: 17 }, (_, i) => around(i / 16, 0.1)) } : { weights, offset };
}

/** Samples of 8 bits may fall to the other side of a half. */
const [ONE_IN, AT_LEAST] = [100_000, 3];

it('the kernel writes what the plain loop writes, for pictures of every kind', () => {
  let [bytes, other] = [0, 0];
  fc.assert(
    fc.property(layout, (kind) => {
      const [fast, plain] = [jobOf(kind), jobOf(kind)];
      const before = plain.photo.samples.slice();
      const counts = [compositeRows(fast), compositePlainly(plain)];
      if (kind.deep) {
        expect(fast.samples).toEqual(plain.samples);
        expect(fast.changed).toEqual(plain.changed);
        expect(counts[0]).toBe(counts[1]);
      } else {
        bytes += fast.samples.length;
        fast.samples.forEach((value, i) => {
          expect(Math.abs(value - plain.samples[i]!)).toBeLessThanOrEqual(1);
          other += value === plain.samples[i]! ? 0 : 1;
        });
      }
      const { weight, photo } = fast;
      if (weight === EVERYWHERE) return;
      weight.values.forEach((value, pixel) => {
        if (value > 0) return;
        const [from, end] = [pixel * photo.channels, (pixel + 1) * photo.channels];
        expect(fast.samples.subarray(from, end)).toEqual(before.subarray(from, end));
        expect(fast.changed[pixel]).toBe(0);
      });
    }),
    { numRuns: 100 * FUZZ_FACTOR },
  );
  expect(other).toBeLessThanOrEqual(AT_LEAST + bytes / ONE_IN);
});

it('writes decoded pixels as they round where all is the edit, however near to a half', () => {
  const [width, height] = [255, 8];
  const extent = { width, height };
  const whole = { x: 0, y: 0, ...extent };
  const decoded = floats([3, height, width]);
  const beside = new Int32Array(decoded.data.buffer);
  decoded.data.forEach((_, i) => {
    decoded.data[i] = ((i % width) + 0.5) / 255;
    // The neighbours of a half, up to four on either side.
    beside[i]! += (Math.trunc(i / width) % height) - 4;
  });
  const job = (): RowsJob => ({
    photo: { extent, channels: 3, samples: new Uint8Array(width * height * 3).fill(255), format: 'png', notices: [] },
    samples: new Uint8Array(width * height * 3),
    changed: new Uint8Array(width * height),
    region: whole,
    weight: EVERYWHERE,
    edit: { kind: 'decoded', decoded: new FrameSampler(decoded, { frame: whole, region: whole, kernel: 'cubic' }) },
    opaque: false,
  });
  const [fast, plain] = [job(), job()];
  compositeRows(fast);
  compositePlainly(plain);
  expect(fast.samples).toEqual(plain.samples);
});
