import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import { ExpectedError } from '#contract/errors.js';
import { openCar } from '#engine/networks/car/predictor.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { PackWeights, TokenPredictor } from '../family.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({ heads: count, codeWidth: count, entries: v.pipe(count, v.maxValue(65_536)), classes: count });

export async function openPredictor({ name, config }: OtherCard, weights: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const { transformer, adapter } = weights;
  if (!adapter) throw new ExpectedError('pack.damaged', `Expected an adapter file in the pack "${name}" but its card names none.`);
  const { depth, width, scales } = config.transformer;
  const sizes = { ...v.parse(Sizes, config.transformer), depth, width, scales };
  return {
    predictor: await openCar(runner, { transformer, adapter }, sizes),
  };
}
