import type { InfinityCard } from '#contract/pack-card.js';
import { traitsOf } from '#contract/traits.js';
import { openInfinity } from '#engine/networks/infinity/predictor.js';
import { nearestRatio, oneMegapixelSchedule as publishedSchedule } from '#engine/networks/infinity/ratios.js';
import { openResidualCoder } from '#engine/networks/residual-coder.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import type { Fit } from '#engine/pipelines/model.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import type { Runner } from '#engine/tensor/runner.js';
import type { Weights } from '#engine/weights/handle.js';
import type { PackWeights, PictureTokenizer, TokenPredictor } from '../family.js';

type Scales = InfinityCard['config']['transformer']['scales'];

export async function openTokenizer(card: InfinityCard, weights: Weights, runner: Runner): Promise<PictureTokenizer> {
  const { config } = card;
  const coder = await (config.tokenizer.kind === 'residual' ? openResidualCoder : openVqganCoder)(runner, weights);
  const own = { coder, quantiser: bitwiseQuantiser(config, weights) };
  // Only published weights were trained on other shapes than the square.
  if (!traitsOf(card).anyShape) return own;
  const on = ({ shape }: Fit): PictureTokenizer => {
    if (!shape) return whole;
    const scales = scalesFor(nearestRatio(shape), config.transformer.scales.length);
    return { coder, quantiser: bitwiseQuantiser({ ...config, transformer: { ...config.transformer, scales } }, weights), fitted: on };
  };
  const whole = { ...own, fitted: on };
  return whole;
}

export async function openPredictor(card: InfinityCard, { transformer }: PackWeights, runner: Runner): Promise<TokenPredictor> {
  const { config } = card;
  const predictor = await openInfinity(runner, transformer, config.transformer);
  if (!traitsOf(card).anyShape) return { predictor };
  const on = ({ shape }: Fit): TokenPredictor => {
    if (!shape) return whole;
    const ratio = nearestRatio(shape);
    const scales = scalesFor(ratio, config.transformer.scales.length);
    return { predictor: predictor.fitted({ scales, rotary: { kind: 'published', ratio } }), fitted: on };
  };
  const whole = { predictor, fitted: on };
  return whole;
}

function scalesFor(ratio: string, count: number): Scales {
  return publishedSchedule(ratio)
    .slice(0, count)
    .map(([rows, columns]) => [rows, columns]);
}

function bitwiseQuantiser({ transformer, tokenizer }: InfinityCard['config'], weights: Weights): BitwiseQuantiser {
  const gains = weights.has('gains') ? { gains: [...weights.readFloats('gains')] } : {};
  return new BitwiseQuantiser({ codeBits: tokenizer.codeBits, schedule: transformer.scales, patchify: transformer.patchify, ...gains });
}
