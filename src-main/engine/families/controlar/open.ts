import type { ControlArCard, ControlArConfig } from '#contract/pack-card.js';
import { openControlAr } from '#engine/networks/controlar/predictor.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Fit } from '#engine/pipelines/model.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { RasterQuantiser } from '#engine/sampling/raster-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import { codesIn } from '../codes.js';
import type { PackWeights, PictureTokenizer, TokenPredictor } from '../family.js';

type Schedule = ControlArConfig['scales'];

export async function openTokenizer({ config }: ControlArCard, weights: Weights, runner: Runner): Promise<PictureTokenizer> {
  const coder = await openVqganCoder(runner, weights, { attention: true });
  const codebook = Codebook.ofDirections(codesIn(weights.at('quantize')));
  const on = (schedule: Schedule): PictureTokenizer => ({
    coder,
    quantiser: new RasterQuantiser({ schedule, codebook }),
    fitted: (fit) => on(rowsFor(fit, config.transformer.scales)),
  });
  return on(config.transformer.scales);
}

export async function openPredictor({ config }: ControlArCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const predictor = await openControlAr(runner, transformer, config.transformer);
  const on = (schedule: Schedule): TokenPredictor => ({
    predictor: predictor.fitted(schedule),
    fitted: (fit) => on(rowsFor(fit, config.transformer.scales)),
  });
  return on(config.transformer.scales);
}

/** More rows than a token file can name are never made. */
const MAX_ROWS = 64;

/** About as many tokens as the square has, in the shape of the picture. */
function rowsFor({ shape }: Fit, square: Schedule): Schedule {
  if (!shape) return square;
  const { width, height } = shape;
  const side = square.length;
  const rows = Math.min(MAX_ROWS, Math.max(1, Math.round(side * Math.sqrt(height / width))));
  const columns = Math.max(1, Math.floor(side ** 2 / rows));
  return Array.from({ length: rows }, () => [1, columns]);
}
