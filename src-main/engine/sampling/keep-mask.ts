import { floats, type FloatTensor } from '../tensor/tensor.js';
import { patchify } from './patchify.js';
import type { BitwiseQuantiser, ScaleBits } from './quantiser.js';

// G finest tokenizer grid · l tokens · D bits per token

/** Below this share of repainted area a cell counts as kept. */
const KEPT_BELOW = 0.02;

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

/** One value per token and bit of scale k: 1 where the source is kept. */
export function keptBits(quantiser: BitwiseQuantiser, mask: FloatTensor, k: number): Uint8Array {
  const shares = patchify(quantiser.down(mask, k), quantiser.patch); // (l, p²)
  const cells = quantiser.patch * quantiser.patch;
  const kept = new Uint8Array(quantiser.tokens(k) * quantiser.tokenBits);
  for (let i = 0; i < kept.length; i++) {
    const token = Math.floor(i / quantiser.tokenBits);
    kept[i] = shares.data[token * cells + (i % cells)]! < KEPT_BELOW ? 1 : 0;
  }
  return kept;
}

/** Takes the source's bits where they are kept and the drawn ones elsewhere. */
export function mergeBits(drawn: ScaleBits, source: ScaleBits, kept: Uint8Array): ScaleBits {
  return drawn.map((bit, i) => (kept[i] ? source[i]! : bit));
}
