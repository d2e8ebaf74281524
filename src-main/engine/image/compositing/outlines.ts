import type { FloatTensor } from '#engine/tensor/tensor.js';

/** Decoded pixels that differ by less, of 1, say nothing about the edit. */
const CHANGED = 0.1;
/** Outlines count as kept while their strength stays within these factors. */
const [WEAKEST, STRONGEST] = [0.5, 2];

/**
 * Whether an edit between decoded pictures `[1, 3, h, w]` changes colours and leaves the outlines: where it changed the
 * picture, the colour gradients are about as strong as before. Something that came has more of them, something that went
 * has fewer.
 */
export function keepsOutlines(before: FloatTensor, after: FloatTensor): boolean {
  const [, , height = 0, width = 0] = before.dims;
  let [strengthBefore, strengthAfter] = [0, 0];
  for (let i = 0; i + width < before.data.length; i++) {
    const lastColumn = i % width === width - 1;
    const lastRow = i % (height * width) >= (height - 1) * width;
    if (lastColumn || lastRow || Math.abs(after.data[i]! - before.data[i]!) < CHANGED) continue;
    strengthBefore += gradient(before.data, i, width);
    strengthAfter += gradient(after.data, i, width);
  }
  const ratio = strengthAfter / Math.max(1e-6, strengthBefore);
  return ratio > WEAKEST && ratio < STRONGEST;
}

function gradient(values: Float32Array, i: number, width: number): number {
  return (values[i + 1]! - values[i]!) ** 2 + (values[i + width]! - values[i]!) ** 2;
}
