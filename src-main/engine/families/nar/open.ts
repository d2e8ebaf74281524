import * as v from 'valibot';
import type { Grid } from '#base/geometry.js';
import type { OtherCard } from '#contract/pack-card.js';
import { openNar } from '#engine/networks/nar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { cornerOf, DiagonalQuantiser, TOP_LEFT, type Corner } from '#engine/sampling/diagonal-quantiser.js';
import type { Fit } from '#engine/pipelines/model.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { codesIn } from '../codes.js';
import type { PackWeights, PictureTokenizer, TokenPredictor } from '../family.js';
import { mirroredCoder } from './mirrored-coder.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({
  heads: count,
  entries: v.pipe(count, v.maxValue(65_536)),
  text: v.object({ width: count, maxTokens: count }),
});

export async function openTokenizer(card: OtherCard, weights: Weights, runner: Runner): Promise<PictureTokenizer> {
  const coder = await openVqganCoder(runner, weights, { attention: true });
  const codebook = Codebook.ofDirections(codesIn(weights.at('quantize')));
  const from = (corner: Corner): PictureTokenizer => ({
    coder: mirroredCoder(coder, corner),
    quantiser: new DiagonalQuantiser({ grid: gridOf(card), codebook, corner }),
    fitted: (fit) => from(cornerFor(fit)),
  });
  return from(TOP_LEFT);
}

export async function openPredictor(card: OtherCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const { depth, width } = card.config.transformer;
  return {
    predictor: await openNar(runner, transformer, { ...v.parse(Sizes, card.config.transformer), depth, width, grid: gridOf(card) }),
  };
}

/** A square has twice as many diagonals as rows, less one. */
function gridOf({ config }: OtherCard): Grid {
  const side = (config.transformer.scales.length + 1) / 2;
  return [side, side];
}

/** Diagonals begin where the picture is and go where it grows; the transformer sees it mirrored where that is not to the right and below. */
function cornerFor({ schedule, margins }: Fit): Corner {
  if (schedule) return cornerOf(schedule);
  return margins ? { right: margins.left > margins.right, bottom: margins.top > margins.bottom } : TOP_LEFT;
}
