import { describe, expect, test } from 'vitest';
import type { Planes } from '#engine/image/colour/colour.js';
import { applyMap, isGray, type ColourMap, type ColourPairs } from '#engine/image/compositing/colour-map.js';
import { simplestMap } from '#engine/image/compositing/simplest-map.js';
import { referencePictures } from '#engine/image/working/reference-picture.js';
import { NOISE, noisy } from '../noise.js';

type Operator = (r: number, g: number, b: number) => readonly [number, number, number];

const luma = (r: number, g: number, b: number) => 0.299 * r + 0.587 * g + 0.114 * b;
const gray = (value: number) => [value, value, value] as const;
const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** The colours of the reference pictures, and what an operator with a tokenizer's noise makes of them. */
function pairsOf(operator: Operator, noise = NOISE): ColourPairs {
  const pictures = referencePictures({ width: 48, height: 48 });
  const before = [0, 1, 2].map((c) =>
    Float32Array.from(pictures.flatMap(({ data }) => [...data.subarray(c * 48 * 48, (c + 1) * 48 * 48)])),
  ) as unknown as Planes;
  const after = before.map((plane, c) =>
    plane.map((_, i) => clamp(operator(before[0][i]!, before[1][i]!, before[2][i]!)[c]! + noisy(i * 3 + c, noise))),
  ) as unknown as Planes;
  return { before, after };
}

function mapped(map: ColourMap, colour: readonly [number, number, number]): number[] {
  const planes = colour.map((value) => Float32Array.of(value)) as unknown as Planes;
  const result = [new Float32Array(1), new Float32Array(1), new Float32Array(1)] as const;
  applyMap(map, planes, result);
  return result.map(([value]) => clamp(value!));
}

const PROBES: readonly (readonly [number, number, number])[] = [
  [0, 0, 0],
  [0.1, 0.1, 0.1],
  [0.5, 0.5, 0.5],
  [0.9, 0.9, 0.9],
  [0.8, 0.2, 0.3],
  [0.15, 0.4, 0.7],
  [0.3, 0.6, 0.2],
];

describe('the simplest map that explains', () => {
  const curves = ({ tones }: ColourMap) => tones.some(({ curve }) => curve);
  test.each<[string, Operator, { gray: boolean; curved: boolean }]>([
    ['nothing', (r, g, b) => [r, g, b], { gray: false, curved: false }],
    ['black and white', (r, g, b) => gray(luma(r, g, b)), { gray: true, curved: false }],
    ['a brighter gray', (r, g, b) => gray(0.7 * luma(r, g, b) + 0.25), { gray: true, curved: false }],
    ['sepia', (r, g, b) => [1.1 * luma(r, g, b), 0.92 * luma(r, g, b), 0.68 * luma(r, g, b)], { gray: false, curved: false }],
    ['inverted', (r, g, b) => [1 - r, 1 - g, 1 - b], { gray: false, curved: false }],
    ['brighter', (r, g, b) => [r ** 0.6, g ** 0.6, b ** 0.6], { gray: false, curved: true }],
    ['contrast', (r, g, b) => [(r - 0.5) * 1.5 + 0.5, (g - 0.5) * 1.5 + 0.5, (b - 0.5) * 1.5 + 0.5], { gray: false, curved: false }],
    [
      'more colour',
      (r, g, b) => [r, g, b].map((value) => luma(r, g, b) + 1.7 * (value - luma(r, g, b))) as [number, number, number],
      { gray: false, curved: false },
    ],
    ['a gray of more contrast', (r, g, b) => gray((luma(r, g, b) - 0.5) * 2 + 0.5), { gray: true, curved: true }],
  ])('%s', (_, operator, expected) => {
    const { map } = simplestMap(pairsOf(operator));
    expect({ gray: isGray(map), curved: curves(map) }).toEqual(expected);
    for (const probe of PROBES) {
      const [r, g, b] = probe;
      operator(r, g, b).forEach((value, c) => {
        expect(Math.abs(mapped(map, probe)[c]! - clamp(value))).toBeLessThan(0.04);
      });
    }
  });

  test('nothing is nothing to the last bit', () => {
    const { map } = simplestMap(pairsOf((r, g, b) => [r, g, b]));
    for (const probe of PROBES) expect(mapped(map, probe)).toEqual([...probe.map(Math.fround)]);
  });

  test('a gray axis leaves equal channels, and grays where they are', () => {
    const { map } = simplestMap(pairsOf((r, g, b) => gray(luma(r, g, b))));
    for (const probe of PROBES) expect(new Set(mapped(map, probe)).size).toBe(1);
    expect(mapped(map, [0.4, 0.4, 0.4])[0]).toBeCloseTo(0.4, 6);
  });
});

test('a curve has no bands in 16 bit: neighbours stay neighbours, and nothing turns back', () => {
  const { map } = simplestMap(pairsOf((r, g, b) => [r ** 0.6, g ** 0.6, b ** 0.6]));
  const ramp = Float32Array.from({ length: 65536 }, (_, i) => i / 65535);
  const result = [new Float32Array(65536), new Float32Array(65536), new Float32Array(65536)] as const;
  applyMap(map, [ramp, ramp, ramp], result);
  const steps = Array.from(result[1].subarray(1), (value, i) => (value - result[1][i]!) * 65535);
  expect(steps.slice(650).reduce((a, b) => Math.min(a, b))).toBeGreaterThan(-0.1);
  expect(steps.reduce((a, b) => Math.max(a, b))).toBeLessThan(6);
});

test('a negative is one to the last bit, however flat the model makes it; a faded one stays faded', () => {
  const negative = (contrast: number): Operator => (r, g, b) => [r, g, b].map((value) => 0.5 - contrast * (value - 0.5)) as [number, number, number]; // prettier-ignore
  const flat = simplestMap(pairsOf(negative(0.95), 0.08)).map;
  for (const probe of PROBES) expect(mapped(flat, probe)).toEqual(probe.map((value) => Math.fround(1 - Math.fround(value))));
  const faded = simplestMap(pairsOf(negative(0.6), 0.08)).map;
  expect(mapped(faded, [0, 0.5, 1])[0]).toBeCloseTo(0.8, 1);
});

/** A tokenizer holds strong colours worse than pale ones: they come out paler and darker. */
function dulled(operator: Operator): Operator {
  return (r, g, b) => {
    const [red, green, blue] = operator(r, g, b).map(clamp) as [number, number, number];
    const loss = 0.12 * (Math.max(red, green, blue) - Math.min(red, green, blue)) ** 2;
    const light = luma(red, green, blue);
    return [red, green, blue].map((value) => (value + loss * (light - value)) * (1 - loss)) as [number, number, number];
  };
}

test.each<[string, Operator]>([
  ['inverted', (r, g, b) => [1 - r, 1 - g, 1 - b]],
  ['contrast', (r, g, b) => [r, g, b].map((value) => (value - 0.5) * 1.5 + 0.5) as [number, number, number]],
  ['brighter', (r, g, b) => [r ** 0.65, g ** 0.65, b ** 0.65]],
  ['darker', (r, g, b) => [r ** 1.7, g ** 1.7, b ** 1.7]],
  ['more colour', (r, g, b) => [r, g, b].map((value) => luma(r, g, b) + 1.7 * (value - luma(r, g, b))) as [number, number, number]],
])(
  '%s is exact where a tokenizer dulls strong colours, however little it wavers: a map of two numbers is known by the pale ones',
  (_, operator) => {
    for (const noise of [0.08, 0.05]) expect(errorOf(simplestMap(pairsOf(dulled(operator), noise)).map, operator)).toBeLessThan(EXACT);
  },
);

/** Root mean square, of 1: 36 dB. */
const EXACT = 0.016;

function errorOf(map: ColourMap, operator: Operator): number {
  const errors = PROBES.flatMap((probe) => {
    const wanted = operator(...probe);
    return mapped(map, probe).map((value, c) => (value - clamp(wanted[c]!)) ** 2);
  });
  return Math.sqrt(errors.reduce((sum, value) => sum + value, 0) / errors.length);
}
