import * as v from 'valibot';
import type { OtherCard } from '#contract/pack-card.js';
import type { Family } from '#engine/families/family.js';
import type { Network, NetworkShape } from '#engine/families/network.js';
import { headOf, only, partsOf, presetsOf, sourceOf } from '#engine/families/published-files.js';

const heart: Network = {
  name: 'toy',
  fits: (weights) => weights.has('toy.heart'),
  read: (weights): NetworkShape => ({ family: 'toy', depth: 4, width: weights.shape('toy.heart')[0] ?? 0 }),
};

const brush: Network = {
  name: 'toy-brush',
  fits: (weights) => weights.has('toy.brush'),
  read: (): NetworkShape => ({ family: 'toy-brush', depth: 1, width: 1 }),
};

const Sizes = v.object({ tokenBits: v.literal(8) });

/** A family that exists nowhere: all that one has to say, and nothing outside its folder. */
export const toyFamily = {
  title: 'Toy',
  networks: [heart, brush],
  pack(files) {
    const parts = partsOf(files, [heart.name, brush.name], 'a toy heart and a toy brush');
    const transformer = only(parts, heart);
    return {
      sources: [sourceOf('transformer', transformer.report, files), sourceOf('tokenizer', only(parts, brush).report, files)],
      cardOf: (copied) => ({
        ...headOf(files, transformer.report, copied),
        title: 'Toy',
        family: 'toy',
        traits: { seesSource: false, maskEmbedding: false, sourceFusion: false, fills: false, anyShape: false, padsSource: false },
        imageSize: 32,
        config: {
          transformer: {
            ...{ depth: 4, width: transformer.model.width, tokenBits: 8, lateScales: 0 },
            scales: [
              [1, 1],
              [2, 2],
              [4, 4],
            ],
            text: { kind: 'words', maxWords: 4, examples: [], vocabulary: ['<pad>', '<unk>', 'a', 'toy'] },
          },
          tokenizer: { kind: 'toy', downsample: 4 },
        },
        presets: presetsOf(4),
        defaults: { guidance: 1, guidanceRamp: 'constant', temperature: 0, topP: 1, topK: 0, fillInstruction: '' },
        abilities: ['toys'],
        limits: [],
      }),
    };
  },
  async openTokenizer({ config }) {
    const sizes = v.parse(Sizes, config.transformer);
    return (await import('./open.js')).openTokenizer(sizes.tokenBits);
  },
  openPredictor: async () => (await import('./open.js')).openPredictor(),
  cost: () => ({ tokenizerBytesPerPixel: 100, halvesCache: false, keeps: 'all but the last' }),
} as const satisfies Family<OtherCard>;
