import type { PackCard } from '#contract/pack-card.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { vectorQuantiser } from './codes.js';
import type { PictureTokenizer } from './family.js';

/** VAR's published tokenizer, which the families that build on VAR take over. */
export async function openVectorTokenizer({ config }: PackCard, weights: Weights, runner: Runner): Promise<PictureTokenizer> {
  return {
    coder: await openVqganCoder(runner, weights, { attention: true }),
    quantiser: vectorQuantiser(config.transformer.scales, weights.at('quantize')),
  };
}
