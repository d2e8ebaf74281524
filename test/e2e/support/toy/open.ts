import type { PictureTokenizer, TokenPredictor } from '#engine/families/family.js';
import { fakeModel } from '../../../support/fake-model.js';

export function openTokenizer(tokenBits: number): PictureTokenizer {
  const { coder, quantiser } = fakeModel();
  if (quantiser.patch !== tokenBits / 4) throw new Error('Expected the bits of a patch.');
  return { coder, quantiser };
}

export function openPredictor(): TokenPredictor {
  return { predictor: fakeModel().predictor };
}
