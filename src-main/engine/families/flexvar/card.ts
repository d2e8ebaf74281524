import { at } from '#base/assert.js';
import type { OtherCard } from '#contract/pack-card.js';
import type { Traits } from '#contract/trait-schema.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { classesNamed } from '../class-names.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import { rasterTokenizer } from '../controlar/networks.js';
import { EXPERIMENTAL_PRESETS, headOf, only, partsOf, presetsOf, sourceOf, UNTRAINED_PRESETS } from '../published-files.js';
import type { CardHead, CheckpointPack, PublishedFiles } from '../published-files.js';
import { flexVarTransformer, type FlexVarShape } from './networks.js';
import { gridsFor, modelSides, SCALE_COUNTS } from './schedules.js';

const TRAITS = {
  ...{ seesSource: false, maskEmbedding: false, sourceFusion: false, padsSource: false },
  ...{ fills: true, anyShape: true, refines: true, redraws: 'experimental' },
  scaleCounts: SCALE_COUNTS,
} satisfies Traits;

export function flexVarPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, [flexVarTransformer.name, rasterTokenizer.name], 'a FlexVAR transformer and its tokenizer');
  const [transformer, tokenizer] = [only(parts, flexVarTransformer), only(parts, rasterTokenizer)];
  expectOneCodebook(transformer.model, tokenizer.model);
  return {
    sources: [sourceOf('transformer', transformer.report, files), sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace })],
    cardOf: (copied) => flexVarCard(headOf(files, transformer.report, copied), transformer.model, tokenizer.model),
  };
}

function flexVarCard(head: CardHead, model: FlexVarShape, tokenizer: VectorTokenizerShape<'raster-tokenizer'>): OtherCard {
  const { depth, width, heads, codeWidth, entries, classes } = model;
  const downsample = 2 ** (tokenizer.depth - 1);
  const scales = gridsFor({}, downsample);
  return {
    ...head,
    title: `FlexVAR-d${depth}`,
    family: 'flexvar',
    traits: { ...TRAITS, modelSides: modelSides(downsample) },
    imageSize: at(scales, scales.length - 1)[0] * downsample,
    config: {
      transformer: {
        ...{ depth, width, heads, codeWidth, entries, classes, scales },
        text: classesNamed(classes),
        lateScales: Math.ceil(scales.length / 3),
      },
      tokenizer: { kind: 'vq', downsample },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: { guidance: 3.5, guidanceRamp: 'ten scales', temperature: 1, topK: 900, topP: 0.95, fillInstruction: '' },
    abilities: [
      'pictures of a named class, in 2 to 16 scales, each of them a picture by itself',
      'fill, expand, drawing a named class into a mask and refining a coarse picture, without training for it',
    ],
    limits: [
      'knows ImageNet classes only, no sentences',
      `${EXPERIMENTAL}other shapes than the square and sides above 256 pixels were not trained for`,
      'grids of 7, 9, 11, 12, 14 or 15 tokens a side and those above 16 are drawn without chance, as its authors do',
      EXPERIMENTAL_PRESETS,
    ],
  };
}
