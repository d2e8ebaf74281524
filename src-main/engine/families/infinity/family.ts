import type { InfinityCard } from '#contract/pack-card.js';
import { mostTokensTogether } from '#engine/networks/infinity/rows-together.js';
import type { Family } from '../family.js';
import { t5Encoder } from '../t5.js';
import { infinityPack } from './card.js';
import { bitwiseTokenizer, infinityTransformer } from './networks.js';

/** Next-scale prediction of bits (Infinity, Han et al. 2024; VAREdit, Mao et al. 2025), and the built-in pack. */
export const infinityFamily = {
  title: 'Infinity/VAREdit',
  networks: [infinityTransformer, bitwiseTokenizer, t5Encoder],
  pack: infinityPack,
  openTokenizer: async (card, weights, runner) => (await import('./open.js')).openTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  cost: ({ config }) => ({
    ...(config.tokenizer.kind === 'residual'
      ? { tokenizerBytesPerPixel: 2_000 }
      : { tokenizerBytesPerPixel: 6_000, decoderBytesPerPixel: 4_000 }),
    rowsTogetherUpTo: mostTokensTogether(config.transformer.width),
    halvesCache: true,
    keeps: 'all but the last',
  }),
} as const satisfies Family<InfinityCard>;
