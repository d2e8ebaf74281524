import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MaskHistory, MaskStep } from '#contract/mask.js';
import { applyStep, combined, EMPTY_MASK, isEmpty, outlineOf, rasterise, redone, runsOf, undone, withStep } from '#document/mask.js';

const EXTENT = { width: 24, height: 16 };

function dot(x: number, y: number, radiusPx = 3, erase = false): MaskStep {
  return { kind: 'stroke', stroke: { points: [{ x, y }], radiusPx, erase } };
}

function historyOf(...steps: readonly MaskStep[]): MaskHistory {
  return steps.reduce(withStep, EMPTY_MASK);
}

function paintedPixels(history: MaskHistory): number {
  return rasterise(history, EXTENT).filter((value) => value === 255).length;
}

describe('a stroke', () => {
  test('paints every pixel whose centre lies within its radius, and no other', () => {
    const mask = rasterise(historyOf(dot(8, 8)), EXTENT);
    mask.forEach((value, i) => {
      const [x, y] = [(i % EXTENT.width) + 0.5, Math.floor(i / EXTENT.width) + 0.5];
      expect(value).toBe((x - 8) ** 2 + (y - 8) ** 2 <= 9 ? 255 : 0);
    });
  });

  test('leaves no gap between distant points', () => {
    const stroke = { points: [{ x: 2, y: 8 }, { x: 22, y: 8 }], radiusPx: 1, erase: false }; // prettier-ignore
    const mask = rasterise(historyOf({ kind: 'stroke', stroke }), EXTENT);
    for (let x = 1; x <= 22; x++) expect(mask[8 * EXTENT.width + x], `column ${x}`).toBe(255);
  });

  test('that leaves the picture and returns loses nothing inside', () => {
    const points = [
      { x: 20, y: 4 },
      { x: 90, y: 4 },
      { x: 90, y: 12 },
      { x: 20, y: 12 },
    ];
    const mask = rasterise(historyOf({ kind: 'stroke', stroke: { points, radiusPx: 1, erase: false } }), EXTENT);
    const at = (x: number, y: number) => mask[y * EXTENT.width + x];
    expect([at(20, 4), at(23, 4), at(23, 12), at(20, 12)]).toEqual([255, 255, 255, 255]);
    expect(at(22, 8)).toBe(0);
  });

  test('of the eraser takes paint away', () => {
    expect(paintedPixels(historyOf(dot(8, 8), dot(8, 8, 4, true)))).toBe(0);
  });
});

describe('the history', () => {
  test('inverting twice changes nothing', () => {
    const once = historyOf(dot(8, 8), dot(15, 4));
    const twice = withStep(withStep(once, { kind: 'invert' }), { kind: 'invert' });
    expect(rasterise(twice, EXTENT)).toEqual(rasterise(once, EXTENT));
  });

  test('clearing empties, and undoing the clearing brings everything back', () => {
    const painted = historyOf(dot(8, 8));
    const cleared = withStep(painted, { kind: 'clear' });
    expect(isEmpty(rasterise(cleared, EXTENT))).toBe(true);
    expect(rasterise(undone(cleared), EXTENT)).toEqual(rasterise(painted, EXTENT));
  });

  test('sixty undos lead to empty and sixty redos to the last', () => {
    let history = EMPTY_MASK;
    for (let i = 0; i < 60; i++) history = withStep(history, dot(i % 24, i % 16, 1 + (i % 3), i % 7 === 6));
    const last = rasterise(history, EXTENT);
    for (let i = 0; i < 60; i++) history = undone(history);
    expect(isEmpty(rasterise(history, EXTENT))).toBe(true);
    expect(undone(history)).toEqual(history);
    for (let i = 0; i < 61; i++) history = redone(history);
    expect(rasterise(history, EXTENT)).toEqual(last);
  });

  test('a new step drops what was undone', () => {
    const history = withStep(undone(historyOf(dot(2, 2), dot(20, 12))), dot(8, 8));
    expect(history.steps).toHaveLength(2);
    expect(redone(history)).toEqual(history);
  });

  test('applying step by step equals drawing all at once', () => {
    const point = fc.record({ x: fc.integer({ min: -10, max: 34 }), y: fc.integer({ min: -10, max: 26 }) });
    const stroke = fc.record({
      points: fc.array(point, { minLength: 1, maxLength: 4 }),
      radiusPx: fc.integer({ min: 1, max: 9 }),
      erase: fc.boolean(),
    });
    const step = fc.oneof(
      stroke.map((made): MaskStep => ({ kind: 'stroke', stroke: made })),
      fc.constantFrom<MaskStep>({ kind: 'invert' }, { kind: 'clear' }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const mask = new Uint8Array(EXTENT.width * EXTENT.height);
        for (const one of steps) applyStep(mask, EXTENT, one);
        expect(rasterise(historyOf(...steps), EXTENT)).toEqual(mask);
      }),
    );
  });
});

describe('an outline', () => {
  const area = (points: readonly (readonly [number, number])[], erase = false): MaskStep => ({
    kind: 'area',
    area: { points: points.map(([x, y]) => ({ x, y })), erase },
  });
  const square: readonly (readonly [number, number])[] = [
    [2, 2],
    [6, 2],
    [6, 6],
    [2, 6],
  ];

  test('fills the pixels whose centres lie inside, also where it leaves the picture', () => {
    expect(paintedPixels(historyOf(area(square)))).toBe(16);
    expect(
      paintedPixels(
        historyOf(
          area([
            [-5, -5],
            [2, -5],
            [2, 3],
            [-5, 3],
          ]),
        ),
      ),
    ).toBe(6);
  });

  test('erases, and can be undone like a stroke', () => {
    const history = historyOf(
      area(square),
      area(
        [
          [2, 2],
          [4, 2],
          [4, 6],
          [2, 6],
        ],
        true,
      ),
    );
    expect(paintedPixels(history)).toBe(8);
    expect(paintedPixels(undone(history))).toBe(16);
  });

  test('that crosses itself leaves what it goes around twice', () => {
    const bow = area([
      [0, 0],
      [8, 8],
      [8, 0],
      [0, 8],
    ]);
    expect(paintedPixels(historyOf(bow))).toBeLessThan(64);
    expect(paintedPixels(historyOf(bow))).toBeGreaterThan(20);
  });

  test('of a rectangle or an ellipse fits its corners; even ones have equal sides', () => {
    const corners = { from: { x: 0, y: 0 }, to: { x: 8, y: 4 }, even: false };
    expect(outlineOf('rectangle', corners)).toEqual([
      { x: 0, y: 0 },
      { x: 8, y: 0 },
      { x: 8, y: 4 },
      { x: 0, y: 4 },
    ]);
    expect(outlineOf('rectangle', { ...corners, even: true })[2]).toEqual({ x: 8, y: 8 });
    const ellipse = outlineOf('ellipse', corners);
    expect(Math.max(...ellipse.map(({ x }) => x))).toBeCloseTo(8);
    expect(Math.min(...ellipse.map(({ y }) => y))).toBeCloseTo(0);
  });
});

test('runs are the mask that they were made of, painted or taken away', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 0, 7, 128, 255, 255), { minLength: 24, maxLength: 24 }), (values) => {
      const extent = { width: 6, height: 4 };
      const runs = runsOf(Uint8Array.from(values));
      const painted = rasterise(historyOf({ kind: 'runs', runs: { ...runs, erase: false } }), extent);
      expect([...painted]).toEqual(values);
      const rest = rasterise(historyOf({ kind: 'invert' }, { kind: 'runs', runs: { ...runs, erase: true } }), extent);
      expect([...rest]).toEqual(values.map((value) => 255 - value));
    }),
  );
});

test('a soft brush paints its core in full and fades to its rim; its eraser is its mirror image', () => {
  const soft = (erase: boolean) => ({ kind: 'stroke', stroke: { points: [{ x: 12, y: 8 }], radiusPx: 6, erase, hardness: 0.5 } }) as const;
  const painted = rasterise(historyOf(soft(false)), EXTENT);
  const row = [...painted.subarray(8 * EXTENT.width + 12, 8 * EXTENT.width + 19)];
  expect(row.slice(0, 3)).toEqual([255, 255, 255]);
  expect(row[6]).toBe(0);
  for (let i = 3; i < 6; i++) expect(row[i]).toBeLessThan(row[i - 1]!);
  const erased = rasterise(historyOf({ kind: 'invert' }, soft(true)), EXTENT);
  expect([...erased]).toEqual([...painted].map((value) => 255 - value));
});

test('strokes of a soft brush do not add up where they cross', () => {
  const soft = { kind: 'stroke', stroke: { points: [{ x: 12, y: 8 }], radiusPx: 6, erase: false, hardness: 0 } } as const;
  expect(rasterise(historyOf(soft, soft), EXTENT)).toEqual(rasterise(historyOf(soft), EXTENT));
});

test('a pen paints as wide as it is pressed', () => {
  const pressed = (pressure: number) =>
    historyOf({ kind: 'stroke', stroke: { points: [{ x: 12, y: 8, pressure }], radiusPx: 6, erase: false } });
  expect(paintedPixels(pressed(0.5))).toBe(paintedPixels(historyOf(dot(12, 8, 3))));
  expect(paintedPixels(pressed(1))).toBe(paintedPixels(historyOf(dot(12, 8, 6))));
});

describe('masks are combined', () => {
  const [a, b] = [Uint8Array.of(0, 255, 255, 128), Uint8Array.of(255, 255, 0, 200)];
  const extent = { width: 4, height: 1 };

  test.each([
    ['add', [255, 255, 255, 200]],
    ['subtract', [0, 0, 255, 55]],
    ['intersect', [0, 255, 0, 128]],
  ] as const)('%s', (how, result) => {
    const mask = a.slice();
    applyStep(mask, extent, combined(runsOf(b), how));
    expect([...mask]).toEqual(result);
  });
});
