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

/** Near becomes far, white becomes black; for maps in 0..1. */
export function invertMap(map: FloatTensor): FloatTensor {
  return floats(
    map.dims,
    map.data.map((value) => 1 - value),
  );
}
