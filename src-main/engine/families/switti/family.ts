import type { OtherCard } from '#contract/pack-card.js';
import type { Family } from '../family.js';
import { vectorTokenizer } from '../var/networks.js';
import { swittiPack } from './card.js';
import { clipTextEncoder, STRANGERS, swittiTransformer } from './networks.js';

/** Next-scale prediction from words, scale by scale for itself (Switti, Voronov et al. 2024), on VAR's tokenizer. */
export const swittiFamily = {
  title: 'Switti',
  networks: [swittiTransformer, vectorTokenizer, clipTextEncoder],
  strangers: STRANGERS,
  pack: swittiPack,
  openTokenizer: async (card, weights, runner) => (await import('../vector-tokenizer.js')).openVectorTokenizer(card, weights, runner),
  openPredictor: async (card, weights, runner) => (await import('./open.js')).openPredictor(card, weights, runner),
  openText: async (card, parts, runner) => (await import('./text.js')).openSwittiText(card, parts, runner),
  prompt: (instruction, { defaults }) => instruction.trim() || defaults.fillInstruction,
  cost: ({ config }) => ({
    tokenizerBytesPerPixel: 4_000,
    halvesCache: true,
    keeps: config.transformer['autoregressive'] === true ? 'all but the last' : 'none',
  }),
} as const satisfies Family<OtherCard>;
