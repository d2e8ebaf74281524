import type { OtherCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { vectorTokenizer } from '../var/networks.js';
import { hmarPack } from './card.js';
import { hmarTransformer } from './networks.js';
import { passCounts } from './passes.js';

/** Class-conditional scales that see themselves alone, with masked passes inside a scale (HMAR, Kumbong et al. 2025). */
export const hmarFamily = {
  title: 'HMAR',
  networks: [hmarTransformer, vectorTokenizer],
  pack: hmarPack,
  openTokenizer: async (card, weights, runner) => (await import('../vector-tokenizer.js')).openVectorTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  cost: (card) => ({ tokenizerBytesPerPixel: 4_000, halvesCache: true, keeps: 'none', passes: passCounts(card) }),
} as const satisfies Family<OtherCard>;
