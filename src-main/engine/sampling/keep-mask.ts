import { cellCount, type Grid } from '#base/geometry.js';
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

/** Scales of so few tokens keep all of the source in zero-shot editing. */
const ALWAYS_KEPT = 3;

/** VAR's zero-shot editing: the mask `[1, G]`, resized bilinearly to a scale's grid, keeps what lies above one half: 1 = kept. */
export function keptTokens({ dims: [, height = 0, width = 0], data }: FloatTensor, grid: Grid): Uint8Array {
  const tokens = cellCount(grid);
  if (tokens <= ALWAYS_KEPT) return new Uint8Array(tokens).fill(1);
  const keep = Uint8Array.from(data, (share) => (share < KEPT_BELOW ? 1 : 0));
  return keptAbove(keep, [height, width], grid);
}

/**
 * torch's bilinear resize of a mask of 0 and 1, thresholded above one half. Boxes often give exactly one half, so every
 * step is rounded to float32 as there.
 */
function keptAbove(keep: Uint8Array, from: Grid, to: Grid): Uint8Array {
  const rows = bilinearTaps(from[0], to[0]);
  const columns = bilinearTaps(from[1], to[1]);
  const { fround } = Math;
  const kept = rows.flatMap((row) =>
    columns.map((column) => {
      const [top, bottom] = [row.low, row.high].map((line) =>
        fround(
          fround(column.lowShare * keep[line * from[1] + column.low]!) + fround(column.highShare * keep[line * from[1] + column.high]!),
        ),
      ) as [number, number];
      return fround(fround(row.lowShare * top) + fround(row.highShare * bottom)) > 0.5 ? 1 : 0;
    }),
  );
  return Uint8Array.from(kept);
}

function bilinearTaps(inputs: number, outputs: number) {
  const ratio = Math.fround(inputs / outputs);
  return Array.from({ length: outputs }, (_, i) => {
    const position = Math.max(0, Math.fround(ratio * (i + 0.5)) - 0.5);
    const low = Math.floor(position);
    const highShare = Math.fround(position - low);
    return { low, high: Math.min(inputs - 1, low + 1), highShare, lowShare: Math.fround(1 - highShare) };
  });
}
