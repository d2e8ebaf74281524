import { expect, test } from 'vitest';
import { fillMembrane } from '#engine/image/compositing/membrane.js';
import { Fixture } from '../../../../support/fixtures.js';

const extent = { width: 8, height: 6 };
const at = (x: number, y: number) => y * extent.width + x;

test('a slope goes on through a hole', () => {
  const plane = Float32Array.from({ length: 48 }, (_, i) => (i % 8) / 8);
  const known = new Float32Array(48).fill(1);
  for (const [x, y] of [[3, 2], [4, 2], [3, 3], [4, 3]] as const) known[at(x, y)] = 0; // prettier-ignore
  const filled = fillMembrane(plane.map((value, i) => (known[i] ? value : 9)), known, extent); // prettier-ignore
  filled.forEach((value, i) => {
    expect(value).toBeCloseTo(plane[i]!, 3);
  });
});

test('a border takes the value that it grows from', () => {
  const known = Float32Array.from({ length: 48 }, (_, i) => (i % 8 < 2 ? 1 : 0));
  const filled = fillMembrane(new Float32Array(48).fill(0.25), known, extent);
  expect(Math.max(...filled.map((value) => Math.abs(value - 0.25)))).toBeLessThan(1e-3);
});

test('is what models were shown of holes in training', () => {
  const fixture = new Fixture('test/golden/tiny');
  const [picture, hole, continued] = ['picture', 'hole', 'continued'].map((name) => fixture.array(`${name}.npy`).data);
  const known = hole!.map((value) => 1 - value);
  for (let channel = 0; channel < 3; channel++) {
    const of = (planes: Float32Array) => planes.subarray(channel * known.length, (channel + 1) * known.length);
    const filled = fillMembrane(of(picture!), known, { width: 64, height: 64 });
    const furthest = Math.max(...of(continued!).map((value, i) => Math.abs(value - filled[i]!)));
    // The order in which samples are relaxed differs.
    expect(furthest).toBeLessThan(0.01);
  }
});
