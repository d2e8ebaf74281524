import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import { openFlexVar } from '#engine/networks/flexvar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Fit } from '#engine/pipelines/model.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { PictureQuantiser } from '#engine/sampling/picture-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { codesIn } from '../codes.js';
import type { PackWeights, PictureTokenizer, TokenPredictor } from '../family.js';
import { gridsFor, isCertain } from './schedules.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({ heads: count, codeWidth: count, entries: v.pipe(count, v.maxValue(65_536)), classes: count });

export async function openTokenizer({ config }: OtherCard, weights: Weights, runner: Runner): Promise<PictureTokenizer> {
  const coder = await openVqganCoder(runner, weights, { attention: true });
  const codebook = Codebook.ofDirections(codesIn(weights.at('quantize')));
  const on = (fit: Fit): PictureTokenizer => {
    const schedule = gridsFor(fit, config.tokenizer.downsample);
    return { coder, quantiser: new PictureQuantiser({ schedule, codebook, certain: schedule.map(isCertain) }), fitted: on };
  };
  return on({});
}

export async function openPredictor({ config }: OtherCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const { depth, width, scales } = config.transformer;
  const model = await openFlexVar(runner, transformer, { ...v.parse(Sizes, config.transformer), depth, width, scales });
  const on = (fit: Fit): TokenPredictor => ({ predictor: model(gridsFor(fit, config.tokenizer.downsample)), fitted: on });
  return on({});
}
