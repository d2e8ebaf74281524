import type { OtherCard } from '#contract/pack-card.js';
import { rasterTokenizer } from '../controlar/networks.js';
import type { Family } from '../family.js';
import { flexVarPack } from './card.js';
import { flexVarTransformer } from './networks.js';
import { gridsFor } from './schedules.js';

/** Class-conditional prediction of whole pictures, scale by scale (FlexVAR, Jiao et al. 2025). */
export const flexVarFamily = {
  title: 'FlexVAR',
  networks: [flexVarTransformer, rasterTokenizer],
  pack: flexVarPack,
  openTokenizer: async (card, weights, runner) => (await import('./open.js')).openTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  schedule: ({ config }, fit) => gridsFor(fit, config.tokenizer.downsample),
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: true, keeps: 'all but the last' }),
} as const satisfies Family<OtherCard>;
