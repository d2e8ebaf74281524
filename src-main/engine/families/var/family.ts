import type { VarCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { varPack } from './card.js';
import { varTransformer, vectorTokenizer } from './networks.js';

/** Class-conditional next-scale prediction (VAR, Tian et al. 2024). */
export const varFamily = {
  title: 'VAR',
  networks: [varTransformer, vectorTokenizer],
  pack: varPack,
  open: async (card, weights, runner) => (await import('./open.js')).openVarPack(card, weights, runner),
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: true, keeps: 'all but the last' }),
} as const satisfies Family<VarCard>;
