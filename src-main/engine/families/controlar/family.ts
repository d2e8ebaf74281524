import type { ControlArCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { t5Encoder } from '../t5.js';
import { controlArPack } from './card.js';
import { controlArTransformer, rasterTokenizer, STRANGERS } from './networks.js';

/** One token after the other, row by row, held by a map (ControlAR, Li et al. 2024; LlamaGen, Sun et al. 2024). */
export const controlArFamily = {
  title: 'ControlAR',
  networks: [controlArTransformer, rasterTokenizer, t5Encoder],
  strangers: STRANGERS,
  pack: controlArPack,
  openTokenizer: async (card, weights, runner) => (await import('./open.js')).openTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  // LlamaGen was trained on prompts in lower case, and on one where nothing was said.
  prompt: (instruction, { defaults }) => instruction.trim().toLowerCase() || defaults.fillInstruction,
  // Of a raster, every row is read.
  cost: () => ({ tokenizerBytesPerPixel: 4_000, halvesCache: false, keeps: 'every scale' }),
} as const satisfies Family<ControlArCard>;
