import type { Corner } from '#engine/sampling/diagonal-quantiser.js';
import type { PictureCoder } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

/** A tokenizer that sees and makes pictures mirrored, while features and codes lie as the picture does. */
export function mirroredCoder(coder: PictureCoder, corner: Corner): PictureCoder {
  if (!corner.right && !corner.bottom) return coder;
  return {
    encode: async (picture) => mirrored(await coder.encode(mirrored(picture, corner)), corner),
    decode: async (codes) => mirrored(await coder.decode(mirrored(codes, corner)), corner),
    release: () => coder.release(),
  };
}

/** `[1, c, h, w]` with its sides or its ends exchanged. */
export function mirrored({ dims, data }: FloatTensor, { right, bottom }: Corner): FloatTensor {
  const [, , height = 0, width = 0] = dims;
  const result = floats(dims);
  for (let from = 0; from < data.length; from += width) {
    const line = (from / width) % height;
    const to = from + (bottom ? height - 1 - 2 * line : 0) * width;
    const row = data.subarray(from, from + width);
    result.data.set(right ? row.toReversed() : row, to);
  }
  return result;
}
