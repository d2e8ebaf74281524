import type { ToneCurve } from '#engine/image/files/icc-profile.js';

const STEPS = 8192;

/**
 * A monotonous curve over 0..1 as a table with linear interpolation. Beyond 0..1 it goes on (odd below 0, along the last
 * slope above 1), so that colours outside a gamut survive a round trip.
 */
export interface ToneTable {
  readonly values: Float64Array;
  /** Tables of an inverse are indexed by the square root: its slope at black is steep. */
  readonly byRoot: boolean;
}

export function forwardTable(curve: ToneCurve): ToneTable {
  return { values: Float64Array.from({ length: STEPS + 2 }, (_, i) => curve(Math.min(1, i / STEPS))), byRoot: false };
}

/** The inverse of a rising curve, found by bisection. */
export function inverseTable(curve: ToneCurve): ToneTable {
  const values = Float64Array.from({ length: STEPS + 2 }, (_, i) => solve(curve, Math.min(1, (i / STEPS) ** 2)));
  return { values, byRoot: true };
}

function solve(curve: ToneCurve, wanted: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (curve(middle) < wanted) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

export function lookUp({ values, byRoot }: ToneTable, value: number): number {
  if (value < 0) return -lookUp({ values, byRoot }, -value);
  if (value >= 1) {
    const top = values[STEPS]!;
    const slope = (top - values[STEPS - 64]!) * (STEPS / 64) * (byRoot ? 0.5 : 1);
    return top + (value - 1) * slope;
  }
  const place = (byRoot ? Math.sqrt(value) : value) * STEPS;
  const low = Math.trunc(place);
  const a = values[low]!;
  return a + (values[low + 1]! - a) * (place - low);
}
