import { encodeTokens } from '#engine/sampling/quantiser.js';
import { resizeArea } from '#engine/tensor/resample.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import type { TokenizerModel, Tokenised } from './model.js';

/** `picture` `[1, 3, S, S]` in 0..1. */
export async function tokenise({ coder, quantiser }: TokenizerModel, picture: FloatTensor): Promise<Tokenised> {
  const encoded = await coder.encode(picture); // (1, d, h, w)
  const features = resizeArea({ ...encoded, dims: encoded.dims.slice(1) }, quantiser.finest);
  return { features, ...encodeTokens(quantiser, features) };
}
