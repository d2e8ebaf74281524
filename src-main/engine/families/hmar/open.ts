import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import { openHmar } from '#engine/networks/hmar/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { PackWeights, TokenPredictor } from '../family.js';
import { Passes } from './passes.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({
  ...{ heads: count, tail: count, codeWidth: count, classes: count },
  entries: v.pipe(count, v.maxValue(65_536)),
  passes: Passes,
});

export async function openPredictor({ config }: OtherCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const { depth, width, scales } = config.transformer;
  return {
    predictor: await openHmar(runner, transformer, { ...v.parse(Sizes, config.transformer), depth, width, scales }),
  };
}
