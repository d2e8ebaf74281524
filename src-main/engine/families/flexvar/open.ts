import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import { openFlexVar } from '#engine/networks/flexvar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Fit } from '#engine/pipelines/model.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { PictureQuantiser } from '#engine/sampling/picture-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import { codesIn } from '../codes.js';
import type { Networks, PackWeights } from '../family.js';
import { gridsFor, isCertain } from './schedules.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({ heads: count, codeWidth: count, entries: v.pipe(count, v.maxValue(65_536)), classes: count });

export async function openFlexVarPack(card: OtherCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  const { depth, width, scales } = card.config.transformer;
  const model = await openFlexVar(runner, transformer, { ...v.parse(Sizes, card.config.transformer), depth, width, scales });
  const coder = await openVqganCoder(runner, tokenizer, { attention: true });
  const codebook = Codebook.ofDirections(codesIn(tokenizer.at('quantize')));
  const on = (fit: Fit): Networks => {
    const schedule = gridsFor(fit, card.config.tokenizer.downsample);
    return {
      predictor: model(schedule),
      coder,
      quantiser: new PictureQuantiser({ schedule, codebook, certain: schedule.map(isCertain) }),
      fitted: on,
    };
  };
  return on({});
}
