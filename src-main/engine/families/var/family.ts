import type { VarCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { varPack } from './card.js';
import { varTransformer, vectorTokenizer } from './networks.js';

/** Class-conditional next-scale prediction (VAR, Tian et al. 2024). */
export const varFamily = {
  title: 'VAR',
  networks: [varTransformer, vectorTokenizer],
  pack: varPack,
  openTokenizer: async (card, weights, runner) => (await import('../vector-tokenizer.js')).openVectorTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: true, keeps: 'all but the last' }),
} as const satisfies Family<VarCard>;
