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
import type { Networks, PackWeights } from '../family.js';

export async function openInfinityPack(card: InfinityCard, { transformer, tokenizer }: PackWeights, runner: Runner): Promise<Networks> {
  const { config } = card;
  const predictor = await openInfinity(runner, transformer, config.transformer);
  const coder = await (config.tokenizer.kind === 'residual' ? openResidualCoder : openVqganCoder)(runner, tokenizer);
  const own = { predictor, coder, quantiser: bitwiseQuantiser(config, tokenizer) };
  // Only published weights were trained on other shapes than the square.
  if (!traitsOf(card).anyShape) return own;
  const on = ({ shape }: Fit): Networks => {
    if (!shape) return whole;
    const ratio = nearestRatio(shape);
    const scales = publishedSchedule(ratio).slice(0, config.transformer.scales.length);
    const grids = {
      scales: scales.map(([rows, columns]): [number, number] => [rows, columns]),
      rotary: { kind: 'published' as const, ratio },
    };
    const fitted = { ...config, transformer: { ...config.transformer, ...grids } };
    return { predictor: predictor.fitted(grids), coder, quantiser: bitwiseQuantiser(fitted, tokenizer), fitted: on };
  };
  const whole = { ...own, fitted: on };
  return whole;
}

function bitwiseQuantiser({ transformer, tokenizer }: InfinityCard['config'], weights: Weights): BitwiseQuantiser {
  const gains = weights.has('gains') ? { gains: [...weights.readFloats('gains')] } : {};
  return new BitwiseQuantiser({ codeBits: tokenizer.codeBits, schedule: transformer.scales, patchify: transformer.patchify, ...gains });
}
