import { at } from '#base/assert.js';
import type { OtherCard } from '#contract/pack-card.js';
import type { Traits } from '#contract/trait-schema.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { classesNamed } from '../class-names.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import { EXPERIMENTAL_PRESETS, headOf, only, partsOf, presetsOf, sourceOf, UNTRAINED_PRESETS } from '../published-files.js';
import type { CardHead, CheckpointPack, PublishedFiles } from '../published-files.js';
import { scalesOf } from '../var/card.js';
import { vectorTokenizer } from '../var/networks.js';
import { hmarTransformer, type HmarShape } from './networks.js';
import { maskedPasses } from './passes.js';

const TRAITS: Traits = {
  ...{ seesSource: false, maskEmbedding: false, sourceFusion: false, padsSource: false },
  ...{ fills: true, anyShape: false, redraws: 'own' },
};

/** Of code and weights, wherever they were copied to. */
const LICENCE = 'NVIDIA: research and education only, not for commercial use';

interface Sampling {
  /** Weight of the class beyond 1, at the last scale. */
  readonly cfg: number;
  readonly topK: number;
}

/** As its authors draw, by depth. */
const PUBLISHED: Readonly<Record<number, Sampling>> = {
  16: { cfg: 1.7, topK: 1000 },
  20: { cfg: 1.9, topK: 950 },
  24: { cfg: 2.1, topK: 900 },
  30: { cfg: 1.7, topK: 1000 },
};
const OTHERS: Sampling = { cfg: 1.7, topK: 1000 };

export function hmarPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, [hmarTransformer.name, vectorTokenizer.name], 'an HMAR transformer and the tokenizer of VAR');
  const [transformer, tokenizer] = [only(parts, hmarTransformer), only(parts, vectorTokenizer)];
  expectOneCodebook(transformer.model, tokenizer.model);
  return {
    sources: [sourceOf('transformer', transformer.report, files), sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace })],
    cardOf: (copied) =>
      hmarCard(licensed(headOf({ licence: '', ...files }, transformer.report, copied)), transformer.model, tokenizer.model),
  };
}

/** What a mirror or the tokenizer's file says stands behind it. */
function licensed(head: CardHead): CardHead {
  return { ...head, licence: head.licence === '' ? LICENCE : `${LICENCE} (with the files: ${head.licence})` };
}

function hmarCard(head: CardHead, model: HmarShape, tokenizer: VectorTokenizerShape<'vector-tokenizer'>): OtherCard {
  const { depth, tail, width, heads, codeWidth, entries, classes } = model;
  const scales = scalesOf(model);
  const downsample = 2 ** (tokenizer.depth - 1);
  const { cfg, topK } = PUBLISHED[depth] ?? OTHERS;
  return {
    ...head,
    title: `HMAR-d${depth}`,
    family: 'hmar',
    traits: TRAITS,
    imageSize: at(scales, scales.length - 1)[0] * downsample,
    config: {
      transformer: {
        ...{ depth, tail, width, heads, codeWidth, entries, classes, scales, passes: maskedPasses(scales) },
        text: classesNamed(classes),
        lateScales: Math.ceil(scales.length / 3),
      },
      tokenizer: { kind: 'vqvae', downsample },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: { guidance: 1 + cfg, guidanceRamp: 'linear', temperature: 1, topK, topP: 0.99, fillInstruction: '' },
    abilities: [
      'pictures of a named class, the doubtful tokens of coarse scales drawn once more',
      `${EXPERIMENTAL}fill, expand and drawing a named class into a mask, without training for it`,
    ],
    limits: ['not for commercial use: research and education only', 'knows ImageNet classes only, no sentences', EXPERIMENTAL_PRESETS],
  };
}
