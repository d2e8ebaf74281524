import type { VarCard } from '#contract/pack-card.js';
import { openVar } from '#engine/networks/var/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Runner } from '#engine/tensor/runner.js';
import { vectorQuantiser } from '../codes.js';
import type { Networks, PackWeights } from '../family.js';

export async function openVarPack({ config }: VarCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  return {
    predictor: await openVar(runner, transformer, config.transformer),
    coder: await openVqganCoder(runner, tokenizer, { attention: true }),
    quantiser: vectorQuantiser(config.transformer.scales, tokenizer.at('quantize')),
  };
}
