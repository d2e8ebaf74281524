import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import { openNar } from '#engine/networks/nar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { cornerOf, DiagonalQuantiser, TOP_LEFT, type Corner } from '#engine/sampling/diagonal-quantiser.js';
import type { Fit } from '#engine/pipelines/model.js';
import type { Runner } from '#engine/tensor/runner.js';
import { codesIn } from '../codes.js';
import type { Networks, PackWeights } from '../family.js';
import { mirroredCoder } from './mirrored-coder.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));
/** What a card of this family says beyond what all cards say. */
const Sizes = v.object({
  heads: count,
  entries: v.pipe(count, v.maxValue(65_536)),
  text: v.object({ width: count, maxTokens: count }),
});

export async function openNarPack(card: OtherCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  const { depth, width, scales } = card.config.transformer;
  const side = (scales.length + 1) / 2;
  const sizes = { ...v.parse(Sizes, card.config.transformer), depth, width, grid: [side, side] } as const;
  const codebook = Codebook.ofDirections(codesIn(tokenizer.at('quantize')));
  const predictor = await openNar(runner, transformer, sizes);
  const coder = await openVqganCoder(runner, tokenizer, { attention: true });
  const from = (corner: Corner): Networks => ({
    predictor,
    coder: mirroredCoder(coder, corner),
    quantiser: new DiagonalQuantiser({ grid: sizes.grid, codebook, corner }),
    fitted: (fit) => from(cornerFor(fit)),
  });
  return from(TOP_LEFT);
}

/** Diagonals begin where the picture is and go where it grows; the transformer sees it mirrored where that is not to the right and below. */
function cornerFor({ schedule, margins }: Fit): Corner {
  if (schedule) return cornerOf(schedule);
  return margins ? { right: margins.left > margins.right, bottom: margins.top > margins.bottom } : TOP_LEFT;
}
