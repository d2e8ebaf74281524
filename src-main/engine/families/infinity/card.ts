import { basename } from 'node:path';
import { at } from '#base/assert.js';
import { CHECKPOINT_SIDES, type CheckpointSide, type CheckpointTask } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { PackCard } from '#contract/pack-card.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { oneMegapixelSchedule as publishedSchedule } from '#engine/networks/infinity/ratios.js';
import { EXPERIMENTAL_PRESETS, headOf, presetsOf, promptedParts, UNTRAINED_PRESETS } from '../published-files.js';
import type { CardHead, CheckpointPack, PublishedFiles } from '../published-files.js';
import { bitwiseTokenizer, infinityTransformer, type BitwiseShape } from './networks.js';

/** Token grids that VAREdit and Infinity run, of the 13 to one megapixel, and the pictures that they make. */
const SCALES_BY_PIXELS: Readonly<Record<CheckpointSide, number>> = { 256: 7, 512: 10, 1024: 13 };
const SQUARE = '1.000';
const TOKEN_CELL = 16;
const MAX_PROMPT = 512;

export function infinityPack(files: PublishedFiles): CheckpointPack {
  const { transformer, tokenizer, text, sources } = promptedParts(
    files,
    [infinityTransformer, bitwiseTokenizer],
    'a VAREdit or Infinity transformer',
  );
  expectFittingTokens(transformer.model, tokenizer.model);
  const task = files.task ?? taskNamed(transformer.report.file);
  const side = files.pixels ?? INFINITY_TASKS[task].pixels;
  return {
    sources,
    taken: { task, pixels: { side, sides: CHECKPOINT_SIDES } },
    cardOf: (copied) =>
      infinityCard(headOf(files, transformer.report, copied), {
        ...{ transformer: transformer.model, tokenizer: tokenizer.model, textWidth: text.model.width },
        ...{ task, side },
      }),
  };
}

/** Tensors do not say whether a model saw pictures; Infinity's published files carry its name. */
function taskNamed(file: string): CheckpointTask {
  return basename(file).toLowerCase().includes('infinity') ? 'generate' : 'edit';
}

function expectFittingTokens(transformer: BitwiseShape<'infinity'>, tokenizer: BitwiseShape<'bitwise-tokenizer'>): void {
  const cells = transformer.tokenBits / tokenizer.tokenBits;
  if (cells === 1 || cells === 4) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a tokenizer of ${transformer.tokenBits} bits, or of a quarter of them, but received ${tokenizer.tokenBits}.`,
  );
}

interface InfinityParts {
  readonly transformer: BitwiseShape<'infinity'>;
  readonly tokenizer: BitwiseShape<'bitwise-tokenizer'>;
  readonly textWidth: number;
  readonly task: CheckpointTask;
  /** Of the picture, in pixels. */
  readonly side: CheckpointSide;
}

interface InfinityTask extends Pick<PackCard, 'title' | 'abilities' | 'limits'> {
  readonly pixels: CheckpointSide;
  readonly fillInstruction: string;
}

/** What VAREdit and Infinity say of themselves, as published. */
const INFINITY_TASKS: Readonly<Record<CheckpointTask, InfinityTask>> = {
  edit: {
    title: 'VAREdit',
    pixels: 512,
    fillInstruction: 'fill in the missing part',
    abilities: ['edits by instruction'],
    limits: [`${EXPERIMENTAL}fill and expand were not trained for`, EXPERIMENTAL_PRESETS],
  },
  generate: {
    title: 'Infinity',
    pixels: 1024,
    fillInstruction: 'a photograph',
    abilities: ['pictures from words', `${EXPERIMENTAL}fill, expand and drawing into a mask, without training for it`],
    limits: ['edits nothing by instruction', EXPERIMENTAL_PRESETS],
  },
};

function infinityCard(head: CardHead, parts: InfinityParts): PackCard {
  const { transformer, tokenizer, textWidth, task } = parts;
  const { title, fillInstruction, abilities, limits } = INFINITY_TASKS[task];
  const { depth, width, heads, tokenBits } = transformer;
  const count = SCALES_BY_PIXELS[parts.side];
  const scales = publishedSchedule(SQUARE)
    .slice(0, count)
    .map(([rows, columns]): [number, number] => [rows, columns]);
  const patchify = tokenBits === tokenizer.tokenBits ? 1 : 2;
  return {
    ...head,
    title: `${title}, ${depth} layers`,
    family: 'infinity',
    imageSize: at(scales, count - 1)[0] * TOKEN_CELL,
    config: {
      transformer: {
        ...{ depth, width, heads, tokenBits, scales, patchify },
        rotary: { kind: 'published', ratio: SQUARE },
        text: { kind: 'features', width: textWidth, maxTokens: MAX_PROMPT },
        source: task === 'edit',
        ...{ sourceFusion: false, copyGate: false, maskEmbedding: false },
        lateScales: Math.ceil(count / 3),
        normEps: 1e-6,
      },
      tokenizer: { kind: 'vqgan', codeBits: tokenizer.tokenBits, downsample: 2 ** (tokenizer.depth - 1), groups: 32 },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: { guidance: 4, guidanceRamp: 'constant', temperature: 0.5, topP: 0.97, topK: 0, fillInstruction },
    abilities,
    limits,
  };
}
