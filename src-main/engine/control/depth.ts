import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

/** Maps with less contrast than this are flat, and stay so. */
const FLAT = 1e-6;

/** A disparity map of any range stretched to 0 (far) … 1 (near). */
export function normaliseMap(map: FloatTensor): FloatTensor {
  let [low, high] = [Infinity, -Infinity];
  for (const value of map.data) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high - low;
  return floats(
    map.dims,
    map.data.map((value) => (range > FLAT ? (value - low) / range : 0.5)),
  );
}

/** A map in 0..1 with `far` and all beyond as 0, `near` and all before as 1; the same map between 0 and 1. */
export function stretchMap(map: FloatTensor, { near, far }: { readonly near: number; readonly far: number }): FloatTensor {
  if (near === 1 && far === 0) return map;
  const [low, high] = [Math.min(near, far), Math.max(near, far)];
  const range = Math.max(FLAT, high - low);
  return floats(
    map.dims,
    map.data.map((value) => Math.min(1, Math.max(0, (value - low) / range))),
  );
}

/** Near becomes far, white becomes black; for maps in 0..1. */
export function invertMap(map: FloatTensor): FloatTensor {
  return floats(
    map.dims,
    map.data.map((value) => 1 - value),
  );
}
