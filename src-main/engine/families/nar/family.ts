import type { OtherCard } from '#contract/pack-card.js';
import { rasterTokenizer } from '../controlar/networks.js';
import type { Family } from '../family.js';
import { t5Encoder } from '../t5.js';
import { narPack } from './card.js';
import { narTransformer } from './networks.js';

/** All tokens of an anti-diagonal at once (NAR, He et al. 2025), on LlamaGen's layers and tokenizer (Sun et al. 2024). */
export const narFamily = {
  title: 'NAR',
  networks: [narTransformer, rasterTokenizer, t5Encoder],
  pack: narPack,
  openTokenizer: async (card, weights, runner) => (await import('./open.js')).openTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  // LlamaGen was trained on prompts in lower case, and on one where nothing was said.
  prompt: (instruction, { defaults }) => instruction.trim().toLowerCase() || defaults.fillInstruction,
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: false, keeps: 'every scale' }),
} as const satisfies Family<OtherCard>;
