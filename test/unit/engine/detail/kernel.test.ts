import { afterAll, beforeAll, expect, it } from 'vitest';
import { wasm } from 'virtual:kernels/detail';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { inBands } from '#engine/detail/field.js';
import { buildPyramid } from '#engine/detail/pyramid.js';
import { BAND, CHANNELS, HOLE, RADIUS, SOURCE, type Scale } from '#engine/detail/scale.js';
import { KernelPool } from '#engine/kernels/pool.js';
import { maskOf, rectangle, texturedPhoto } from './scene.js';

// The kernel beside the plainest way to say the same.

const extent = { width: 90, height: 120 };
const hole = { x: 30, y: 25, width: 26, height: 70 };
const NOTHING = 0x7fffffff;
let pool: KernelPool;
let scale: Scale;

beforeAll(async () => {
  pool = new KernelPool(wasm, { bytes: 2 ** 23, workers: 2 });
  const scene = { photo: texturedPhoto(extent), weight: maskOf(extent, rectangle(hole)) };
  const window = { x: 0, y: 0, ...extent };
  const [finest] = await buildPyramid(pool, { scene, window, hole, halvings: 0 }, NEVER_CANCELLED);
  scale = finest!;
  scale.set({ coarser: 0, seed: 5, reach: 0 });
  // A picture in the hole, whichever: distances are of it.
  scale.state.forEach((bits, i) => {
    if (bits & HOLE) for (let c = 0; c < CHANNELS; c++) scale.planes[i * CHANNELS + c] = (i * 7 + c * 31) % 256;
  });
  await inBands(scale, 'inherit', NEVER_CANCELLED);
  await inBands(scale, 'refresh', NEVER_CANCELLED);
});
afterAll(() => pool.close());

function plainDistance(target: number, source: number): number {
  let total = 0;
  for (let v = -RADIUS; v <= RADIUS; v++) {
    for (let u = -RADIUS; u <= RADIUS; u++) {
      const step = v * extent.width + u;
      for (let c = 0; c < CHANNELS; c++)
        total += (scale.planes[(target + step) * CHANNELS + c]! - scale.planes[(source + step) * CHANNELS + c]!) ** 2;
    }
  }
  return total;
}

function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

const centreOf = (k: number) => (scale.box.y + Math.trunc(k / scale.box.width)) * extent.width + scale.box.x + (k % scale.box.width);

it('marks targets and sources as their patches say', () => {
  const { state } = scale;
  for (let y = RADIUS; y < extent.height - RADIUS; y++) {
    for (let x = RADIUS; x < extent.width - RADIUS; x++) {
      let touches = false;
      for (let v = -RADIUS; v <= RADIUS; v++) for (let u = -RADIUS; u <= RADIUS; u++) touches ||= rectangle(hole)(x + u, y + v);
      expect(Boolean(state[y * extent.width + x]! & SOURCE)).toBe(!touches);
    }
  }
});

it('measures patches exactly', () => {
  const [field, distance] = [scale.ints('field'), scale.ints('distance')];
  field.forEach((source, k) => {
    expect(distance[k]).toBe(source < 0 ? NOTHING : plainDistance(centreOf(k), source));
  });
});

it('counts rows between a source and its target where heights are kept', async () => {
  scale.set({ layout: 7 });
  await inBands(scale, 'refresh', NEVER_CANCELLED);
  const [field, distance] = [scale.ints('field'), scale.ints('distance')];
  const rowOf = (pixel: number) => Math.trunc(pixel / extent.width);
  field.forEach((source, k) => {
    if (source < 0) return;
    expect(distance[k]).toBe(plainDistance(centreOf(k), source) + 7 * (rowOf(centreOf(k)) - rowOf(source)) ** 2);
  });
  scale.set({ layout: 0 });
  await inBands(scale, 'refresh', NEVER_CANCELLED);
});

it('searches as the plain way does, in bands that do not see each other', async () => {
  const before = scale.ints('field').slice();
  const [field, distance] = [before.slice(), scale.ints('distance').slice()];
  const { box } = scale;
  const consider = (k: number, source: number) => {
    if (!(scale.state[source]! & SOURCE) || source === field[k]) return;
    const d = plainDistance(centreOf(k), source);
    if (d < distance[k]!) [distance[k], field[k]] = [d, source];
  };
  const follow = (k: number, neighbour: number, step: number) => {
    if (neighbour < 0) return;
    const [x, y] = [(neighbour % extent.width) + (step === 1 ? 1 : 0), Math.trunc(neighbour / extent.width) + (step === 1 ? 0 : 1)];
    if (x >= RADIUS && x < extent.width - RADIUS && y >= RADIUS && y < extent.height - RADIUS) consider(k, y * extent.width + x);
  };
  for (let k = 0; k < field.length; k++) {
    if (field[k]! < 0) continue;
    const [u, v] = [k % box.width, Math.trunc(k / box.width)];
    if (u > 0) follow(k, field[k - 1]!, 1);
    if (v > 0) follow(k, v % BAND === 0 ? before[k - box.width]! : field[k - box.width]!, box.width);
    for (let reach = Math.max(extent.width, extent.height), draw = 0; reach >= 1; reach >>= 1, draw++) {
      const a = mix(5 ^ mix((Math.imul(centreOf(k), 2654435761) + draw) >>> 0));
      const [cx, cy] = [field[k]! % extent.width, Math.trunc(field[k]! / extent.width)];
      const [x0, x1] = [Math.max(RADIUS, cx - reach), Math.min(extent.width - 1 - RADIUS, cx + reach)];
      const [y0, y1] = [Math.max(RADIUS, cy - reach), Math.min(extent.height - 1 - RADIUS, cy + reach)];
      consider(k, (y0 + (((a >>> 16) * (y1 - y0 + 1)) >>> 16)) * extent.width + x0 + (((a & 0xffff) * (x1 - x0 + 1)) >>> 16));
    }
  }
  scale.set({ pass: 0 });
  await inBands(scale, 'search', NEVER_CANCELLED);
  expect(scale.ints('field')).toEqual(field);
  expect(scale.ints('distance')).toEqual(distance);
});

it('finds the third quartile and votes by it', async () => {
  const { box, planes } = scale;
  const known = [...scale.ints('distance')].filter((d) => d !== NOTHING).sort((a, b) => a - b);
  await scale.pool.run({ name: 'spread', pointer: scale.pointer, pieces: 1 }, NEVER_CANCELLED);
  const [sharpness] = new Float32Array(pool.memory, scale.pointer + 21 * 4, 1);
  expect(sharpness).toBeCloseTo(1 / (2 * known[Math.trunc((known.length * 3) / 4)]!), 9);
  await inBands(scale, 'weigh', NEVER_CANCELLED);
  const source = planes.slice();
  await inBands(scale, 'vote', NEVER_CANCELLED);
  const [field, weight] = [scale.ints('field'), new Float32Array(pool.memory, scale.get('weight'), box.width * box.height)];
  for (let k = 0; k < field.length; k++) {
    if (!(scale.state[centreOf(k)]! & HOLE)) continue;
    let [sum, total] = [0, 0];
    for (let v = -RADIUS; v <= RADIUS; v++) {
      for (let u = -RADIUS; u <= RADIUS; u++) {
        const near = k + v * box.width + u;
        sum += weight[near]! * source[(field[near]! - v * extent.width - u) * CHANNELS]!;
        total += weight[near]!;
      }
    }
    expect(Math.abs(scale.planes[centreOf(k) * CHANNELS]! - sum / total)).toBeLessThan(0.51);
  }
});
