import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { OtherCard } from '#contract/pack-card.js';
import type { Traits } from '#contract/trait-schema.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { diagonalSchedule } from '#engine/sampling/diagonal-quantiser.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import { rasterTokenizer } from '../controlar/networks.js';
import { headOf, expectTextWidth, promptedParts, type CardHead, type CheckpointPack, type PublishedFiles } from '../published-files.js';
import { narTransformer, type NarShape } from './networks.js';

const TRAITS: Traits = {
  ...{ seesSource: false, maskEmbedding: false, sourceFusion: false, padsSource: false },
  ...{ fills: true, anyShape: false, steps: 'diagonals', redraws: 'experimental' },
};

/** Sides in pixels that it was published for, by tokens of 16. */
const SIDES = [256, 512] as const;
const TOKEN = 16;

export function narPack(files: PublishedFiles): CheckpointPack {
  const { transformer, tokenizer, text, sources } = promptedParts(files, [narTransformer, rasterTokenizer], 'a NAR transformer');
  expectOneCodebook(transformer.model, tokenizer.model);
  expectTextWidth(transformer.model, text.model);
  const side = sideOf(files, transformer.report.file);
  return {
    sources,
    taken: { pixels: { side, sides: SIDES } },
    cardOf: (copied) =>
      narCard(headOf(files, transformer.report, copied), { transformer: transformer.model, tokenizer: tokenizer.model, side }),
  };
}

/** Positions are computed, so that no tensor tells the size; published files are named after it. */
function sideOf({ pixels }: PublishedFiles, file: string): (typeof SIDES)[number] {
  const named = SIDES.find((side) => basename(file).includes(String(side))) ?? 512;
  const side = SIDES.find((known) => known === (pixels ?? named));
  if (side) return side;
  throw new ExpectedError('request.invalid', `Expected ${SIDES.join(' or ')} pixels for a NAR transformer but received ${pixels}.`);
}

interface NarParts {
  readonly transformer: NarShape;
  readonly tokenizer: VectorTokenizerShape<'raster-tokenizer'>;
  /** Of the picture, in pixels. */
  readonly side: number;
}

function narCard(head: CardHead, { transformer, tokenizer, side }: NarParts): OtherCard {
  const { depth, width, heads, entries, textWidth, textTokens } = transformer;
  const downsample = 2 ** (tokenizer.depth - 1);
  const cells = side / TOKEN;
  const scales = diagonalSchedule([cells, cells]).map(([rows, columns]): [number, number] => [rows, columns]);
  const text = { kind: 'features' as const, width: textWidth, maxTokens: textTokens };
  return {
    ...head,
    title: `NAR, ${depth - 1} layers, ${side} px`,
    family: 'nar',
    traits: TRAITS,
    imageSize: cells * downsample,
    config: { transformer: { depth, width, heads, entries, scales, text, lateScales: 0 }, tokenizer: { kind: 'vq', downsample } },
    presets: { best: depth, balanced: depth, fast: depth, draft: depth },
    defaults: { guidance: 7.5, guidanceRamp: 'constant', temperature: 1, topK: 0, topP: 1, fillInstruction: 'a high-quality image' },
    abilities: [
      'pictures from words, diagonal by diagonal from a corner',
      `${EXPERIMENTAL}expand, fill and drawing into a mask, without training for it`,
    ],
    limits: ['does not see what lies behind a hole, on the side that its diagonals come to last', 'no depth presets'],
  };
}
