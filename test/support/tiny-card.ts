import type { InfinityCard } from '#contract/pack-card.js';

/** The smallest card that passes the schema; its weights need not exist. */
export const tinyCard: InfinityCard = {
  format: 1,
  name: 'tiny',
  title: 'Tiny',
  version: '1.0.0',
  family: 'infinity',
  licence: 'MIT',
  imageSize: 32,
  precision: 'float32',
  config: {
    transformer: {
      depth: 4,
      width: 16,
      heads: 2,
      tokenBits: 8,
      scales: [
        [1, 1],
        [2, 2],
        [4, 4],
      ],
      patchify: 2,
      rotary: { kind: 'normalised', base: 100 },
      text: { kind: 'words', maxWords: 8, examples: [], vocabulary: ['<pad>', '<unk>', 'make', 'it', 'red'] },
      sourceFusion: false,
      copyGate: false,
      maskEmbedding: false,
      lateScales: 1,
      normEps: 1e-6,
    },
    tokenizer: { kind: 'residual', codeBits: 2, downsample: 4 },
  },
  presets: { best: 4, balanced: 3, fast: 2, draft: 1 },
  defaults: { guidance: 1, temperature: 0, topP: 0.97, topK: 0, guidanceRamp: 'constant', fillInstruction: '' },
  files: [{ name: 'transformer.safetensors', role: 'transformer', bytes: 1000, sha256: '0'.repeat(64) }],
  dataSources: [],
  abilities: [],
  limits: [],
};
