import type { OtherCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { varTransformer, vectorTokenizer } from '../var/networks.js';
import { carPack } from './card.js';
import { carAdapter } from './networks.js';

/** A control adapter over a frozen VAR (CAR, Yao et al. 2024): one more file for a pack that is there. */
export const carFamily = {
  title: 'CAR',
  networks: [carAdapter, varTransformer, vectorTokenizer],
  standsOn: varTransformer.name,
  pack: carPack,
  openTokenizer: async (card, weights, runner) => (await import('../vector-tokenizer.js')).openVectorTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: true, keeps: 'all but the last' }),
} as const satisfies Family<OtherCard>;
