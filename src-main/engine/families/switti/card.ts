import { basename, dirname, join } from 'node:path';
import { at } from '#base/assert.js';
import { ExpectedError } from '#contract/errors.js';
import type { OtherCard } from '#contract/pack-card.js';
import type { Traits } from '#contract/trait-schema.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import { expectOneCodebook, type VectorTokenizerShape } from '../codes.js';
import { EXPERIMENTAL_PRESETS, headOf, only, partsOf, presetsOf, sourceOf, UNTRAINED_PRESETS } from '../published-files.js';
import type { CardHead, CheckpointPack, PackSource, PublishedFiles } from '../published-files.js';
import type { InspectReport } from '../report.js';
import { vectorTokenizer } from '../var/networks.js';
import { clipTextEncoder, swittiTransformer, type ClipTextShape, type SwittiShape } from './networks.js';

const TRAITS: Traits = {
  ...{ seesSource: false, maskEmbedding: false, sourceFusion: false, padsSource: false },
  ...{ fills: true, anyShape: false, redraws: 'experimental' },
};

const PARTS = 'a Switti transformer, its tokenizer, the text encoders CLIP ViT-L and OpenCLIP ViT-bigG, and their tokenizer.json';

/** Sides of the token grids of published models: of 512, 1024 and 256 pixels. */
const PUBLISHED_SIDES: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 6, 9, 13, 18, 24, 32],
  [1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 27, 36, 48, 64],
  [1, 2, 3, 4, 5, 6, 8, 10, 13, 16],
];
/** At 1024 pixels its authors end guidance behind so many scales, and draw the rest all but without chance. */
const LARGE = { scales: 14, guidanceUntil: 11, lateTemperature: 0.1 };
/** Its text encoders see no more at once. */
const MAX_PROMPT = 77;

/** Buffers of training that no run reads: [1, 1, L, L], a third of a gigabyte at 1024 pixels. */
const BUFFERS: readonly string[] = ['attn_bias_for_masking', 'lvl_1L'];
/** Of CLIP, which also sees pictures. */
const TEXT_HALF = ['text_model'];

export function swittiPack(files: PublishedFiles): CheckpointPack {
  const isEncoder = ({ model }: InspectReport) => model?.family === clipTextEncoder.name;
  const encoders = files.reports.filter(isEncoder);
  if (encoders.length !== 2) throw incomplete(`${encoders.length} text encoders`);
  const { textTokenizer } = files;
  if (!textTokenizer) throw incomplete('no tokenizer.json');
  const own = { ...files, reports: files.reports.filter((report) => !isEncoder(report)) };
  const parts = partsOf(own, [swittiTransformer.name, vectorTokenizer.name], PARTS);
  const [transformer, tokenizer] = [only(parts, swittiTransformer), only(parts, vectorTokenizer)];
  expectOneCodebook(transformer.model, tokenizer.model);
  const texts = inReadingOrder(encoders, transformer.model);
  return {
    sources: [
      needed('transformer', transformer.report, { files, names: namesBut(BUFFERS, transformer.report) }),
      sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace }),
      ...texts.map((report) => needed('text', report, { files, names: TEXT_HALF })),
      { role: 'text-tokenizer', ...textTokenizer, files: [textTokenizer.path] },
    ],
    cardOf: (copied) =>
      swittiCard(headOf(files, transformer.report, copied), {
        ...{ model: transformer.model, tokenizer: tokenizer.model },
        autoregressive: isAutoregressive(transformer.report),
      }),
  };
}

function incomplete(received: string): ExpectedError {
  return new ExpectedError('weights.refused', `Expected ${PARTS} but received ${received}.`);
}

/** CLIP ViT-L first, then the one whose word on the whole prompt the transformer is told. */
function inReadingOrder(encoders: readonly InspectReport[], { textWidth, pooledWidth }: SwittiShape): readonly InspectReport[] {
  const widthOf = ({ model }: InspectReport) => (model as ClipTextShape).width;
  const last = encoders.find((report) => widthOf(report) === pooledWidth);
  const first = encoders.find((report) => report !== last && widthOf(report) === textWidth - pooledWidth);
  if (first && last) return [first, last];
  const received = encoders.map(widthOf).join(' and ');
  throw new ExpectedError(
    'weights.refused',
    `Expected text encoders ${textWidth - pooledWidth} and ${pooledWidth} wide but received ones of ${received}.`,
  );
}

/** A file that is read where it lies keeps what nobody needs; a copy does without. */
function needed(
  role: PackSource['role'],
  report: InspectReport,
  { files, names }: { files: PublishedFiles; names: readonly string[] },
): PackSource {
  return sourceOf(role, report, { ...files, ...(files.inPlace !== true && { only: names }) });
}

function namesBut(unneeded: readonly string[], { tensors }: InspectReport): readonly string[] {
  const first = new Set(tensors.map(({ name }) => name.split('.', 1)[0] ?? ''));
  return [...first].filter((name) => !unneeded.includes(name));
}

/** No tensor tells; the settings beside the file do, and published models are named after it. */
function isAutoregressive({ file, settings }: InspectReport): boolean {
  const said = settings?.['use_ar'];
  return typeof said === 'boolean' ? said : /switti[^/\\]*[-_]ar(?![a-z])/iu.test(join(basename(dirname(file)), basename(file)));
}

interface SwittiParts {
  readonly model: SwittiShape;
  readonly tokenizer: VectorTokenizerShape<'vector-tokenizer'>;
  readonly autoregressive: boolean;
}

function swittiCard(head: CardHead, { model, tokenizer, autoregressive }: SwittiParts): OtherCard {
  const { depth, width, heads, codeWidth, entries, textWidth, pooledWidth } = model;
  const scales = scalesOf(model);
  const downsample = 2 ** (tokenizer.depth - 1);
  const side = at(scales, scales.length - 1)[0] * downsample;
  return {
    ...head,
    title: `Switti${autoregressive ? '-AR' : ''}, ${depth} layers, ${side} px`,
    family: 'switti',
    traits: TRAITS,
    imageSize: side,
    config: {
      transformer: {
        ...{ depth, width, heads, codeWidth, entries, scales, autoregressive },
        text: { kind: 'features', width: textWidth, maxTokens: MAX_PROMPT, pooled: pooledWidth },
        lateScales: Math.ceil(scales.length / 3),
      },
      tokenizer: { kind: 'vqvae', downsample },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: {
      guidance: 7,
      guidanceRamp: 'linear',
      ...lateScalesOf(scales.length),
      topK: 400,
      topP: 0.95,
      fillInstruction: 'a high-quality image',
    },
    abilities: ['pictures from words', `${EXPERIMENTAL}fill, expand and drawing into a mask, without training for it`],
    limits: ['edits nothing by instruction', `reads the first ${MAX_PROMPT - 2} tokens of a prompt`, EXPERIMENTAL_PRESETS],
  };
}

function lateScalesOf(count: number): Pick<OtherCard['defaults'], 'temperature' | 'guidanceUntil'> {
  const { scales, guidanceUntil, lateTemperature } = LARGE;
  if (count !== scales) return { temperature: 1 };
  return { guidanceUntil, temperature: Array.from({ length: scales }, (_, scale) => (scale < guidanceUntil ? 1 : lateTemperature)) };
}

function scalesOf({ levels, positions }: SwittiShape): [number, number][] {
  const counted = Array.from({ length: levels }, (_, k) => k + 1);
  const fits = (list: readonly number[]) => list.length === levels && (positions === 0 || tokensOf(list) === positions);
  const sides = [...PUBLISHED_SIDES, counted].find(fits);
  if (sides) return sides.map((side): [number, number] => [side, side]);
  throw new ExpectedError(
    'weights.refused',
    `Expected the scales of a published Switti but received ${levels} scales of ${positions} tokens.`,
  );
}

function tokensOf(sides: readonly number[]): number {
  return sides.reduce((sum, side) => sum + side * side, 0);
}
