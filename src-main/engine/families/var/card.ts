import { at } from '#base/assert.js';
import { ExpectedError } from '#contract/errors.js';
import type { PackCard } from '#contract/pack-card.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { classesNamed } from '../class-names.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import { EXPERIMENTAL_PRESETS, headOf, only, partsOf, presetsOf, sourceOf, UNTRAINED_PRESETS } from '../published-files.js';
import type { CardHead, CheckpointPack, PublishedFiles } from '../published-files.js';
import { varTransformer, vectorTokenizer, type VarShape } from './networks.js';

/** Sides of the token grids that VAR was published with. */
const PUBLISHED_SIDES: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], // 256 pixels
  [1, 2, 3, 4, 6, 9, 13, 18, 24, 32], // 512 pixels
];

export function varPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, [varTransformer.name, vectorTokenizer.name], 'a VAR transformer and its tokenizer');
  const [transformer, tokenizer] = [only(parts, varTransformer), only(parts, vectorTokenizer)];
  expectOneCodebook(transformer.model, tokenizer.model);
  return {
    sources: [sourceOf('transformer', transformer.report, files), sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace })],
    cardOf: (copied) => varCard(headOf(files, transformer.report, copied), transformer.model, tokenizer.model),
  };
}

function varCard(head: CardHead, model: VarShape, tokenizer: VectorTokenizerShape<'vector-tokenizer'>): PackCard {
  const { depth, width, heads, codeWidth, entries, classes } = model;
  const scales = scalesOf(model);
  const downsample = 2 ** (tokenizer.depth - 1);
  const lateScales = Math.ceil(scales.length / 3);
  return {
    ...head,
    title: `VAR-d${depth}`,
    family: 'var',
    imageSize: at(scales, scales.length - 1)[0] * downsample,
    config: {
      transformer: { depth, width, heads, codeWidth, entries, classes, scales, text: classesNamed(classes), lateScales },
      tokenizer: { kind: 'vqvae', downsample },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: { guidance: 5, guidanceRamp: 'linear', temperature: 1, topK: 900, topP: 0.95, fillInstruction: '' },
    abilities: ['pictures of a named class', `${EXPERIMENTAL}fill, expand and drawing a named class into a mask, without training for it`],
    limits: ['knows ImageNet classes only, no sentences', EXPERIMENTAL_PRESETS],
  };
}

/** The grids of VAR and its kin. Throws `weights.refused` where so many tokens lie on none that were published. */
export function scalesOf({ levels, positions }: Pick<VarShape, 'levels' | 'positions'>): [number, number][] {
  const counted = Array.from({ length: levels }, (_, k) => k + 1);
  const sides = [...PUBLISHED_SIDES, counted].find((list) => list.length === levels && tokensOf(list) === positions);
  if (sides) return sides.map((side): [number, number] => [side, side]);
  throw new ExpectedError(
    'weights.refused',
    `Expected the scales of a published VAR but received ${levels} scales of ${positions} tokens.`,
  );
}

function tokensOf(sides: readonly number[]): number {
  return sides.reduce((sum, side) => sum + side * side, 0);
}
