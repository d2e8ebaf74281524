import type { VarCard } from '#contract/pack-card.js';
import { openVar } from '#engine/networks/var/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { PackWeights, TokenPredictor } from '../family.js';

export async function openPredictor({ config }: VarCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  return { predictor: await openVar(runner, transformer, config.transformer) };
}
