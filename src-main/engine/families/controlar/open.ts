import type { Extent } from '#base/geometry.js';
import type { ControlArCard, ControlArConfig } from '#contract/pack-card.js';
import { openControlAr } from '#engine/networks/controlar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { RasterQuantiser } from '#engine/sampling/raster-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import { codesIn } from '../codes.js';
import type { Networks, PackWeights } from '../family.js';

export async function openControlArPack(
  { config }: ControlArCard,
  { transformer, tokenizer }: PackWeights,
  runner: Runner,
): Promise<Networks> {
  const predictor = await openControlAr(runner, transformer, config.transformer);
  const coder = await openVqganCoder(runner, tokenizer, { attention: true });
  const codebook = Codebook.ofDirections(codesIn(tokenizer.at('quantize')));
  const on = (schedule: ControlArConfig['scales']): Networks => ({
    predictor: predictor.fitted(schedule),
    coder,
    quantiser: new RasterQuantiser({ schedule, codebook }),
    fitted: ({ shape }) => on(shape ? rowsFor(shape, config.transformer.scales) : schedule),
  });
  return on(config.transformer.scales);
}

/** More rows than a token file can name are never made. */
const MAX_ROWS = 64;

/** About as many tokens as the square has, in the shape of the picture. */
function rowsFor({ width, height }: Extent, square: ControlArConfig['scales']): ControlArConfig['scales'] {
  const side = square.length;
  const rows = Math.min(MAX_ROWS, Math.max(1, Math.round(side * Math.sqrt(height / width))));
  const columns = Math.max(1, Math.floor(side ** 2 / rows));
  return Array.from({ length: rows }, () => [1, columns]);
}
