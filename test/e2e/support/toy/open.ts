import type { Networks } from '#engine/families/family.js';
import { fakeModel } from '../../../support/fake-model.js';

export function openToy(tokenBits: number): Networks {
  const { predictor, coder, quantiser } = fakeModel();
  if (quantiser.patch !== tokenBits / 4) throw new Error('Expected the bits of a patch.');
  return { predictor, coder, quantiser };
}
