import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

// G finest tokenizer grid

/** Below this share of repainted area a cell counts as kept. */
export const KEPT_BELOW = 0.02;

/** `[1, G]` repaint shares grown by one token (p cells) on every side, so that the seam is redrawn too. */
export function widenByOneToken(mask: FloatTensor, patch: number): FloatTensor {
  const [, height = 0, width = 0] = mask.dims;
  const across = slidingMaximum(mask.data, { length: width, stride: 1, lines: height, lineStride: width }, patch);
  const both = slidingMaximum(across, { length: height, stride: width, lines: width, lineStride: 1 }, patch);
  return floats(mask.dims, both);
}

interface Lines {
  readonly length: number;
  readonly stride: number;
  readonly lines: number;
  readonly lineStride: number;
}

function slidingMaximum(values: Float32Array, { length, stride, lines, lineStride }: Lines, radius: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < length; i++) {
      let highest = 0;
      for (let j = Math.max(0, i - radius); j <= Math.min(length - 1, i + radius); j++) {
        highest = Math.max(highest, values[line * lineStride + j * stride]!);
      }
      result[line * lineStride + i * stride] = highest;
    }
  }
  return result;
}
