import { basename } from 'node:path';
import { at } from '#base/assert.js';
import type { CheckpointSide, CheckpointTask } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { AnyCard, PackCard, PackFile, Precision } from '#contract/pack-card.js';
import { CONTROL_KINDS, type ControlKind } from '#contract/request.js';
import type { InspectReport, ModelShape, WriteWork } from '#engine/door/engine.js';
import { publishedSchedule } from '#engine/door/published.js';
import { depthCard, depthSources } from './depth-card.js';
import imagenetNames from './imagenet-names.json' with { type: 'json' };

type Shape<F extends ModelShape['family']> = Extract<ModelShape, { family: F }>;

/** A file and the part that it plays in a pack. */
export interface PackSource {
  readonly role: PackFile['role'];
  readonly path: string;
  /** What it will take in the pack, at most. */
  readonly bytes: number;
  /** The files that it is read from: `path`, or those that the index at `path` names. */
  readonly files: readonly string[];
  /** Its name in the pack, where another file goes by it; absent = after its role. */
  readonly name?: string;
  /** It is read where it lies. */
  readonly stays?: true;
  /** How its weights are written anew; absent = copied as it is. */
  readonly written?: Pick<WriteWork, 'precision' | 'only'>;
}

/** What published files become: everything of a card but the copied files. */
export interface CheckpointPack {
  readonly sources: readonly PackSource[];
  readonly cardOf: (files: readonly PackFile[]) => AnyCard;
}

/** What the user handed over. */
export interface PublishedFiles {
  readonly reports: readonly InspectReport[];
  /** T5's `tokenizer.json`. */
  readonly textTokenizer?: { readonly path: string; readonly bytes: number };
  readonly name?: string | undefined;
  /** Whether a transformer edits (VAREdit) or draws from words alone (Infinity), where its file's name does not say. */
  readonly task?: CheckpointTask | undefined;
  /** Side of the picture that the transformer was trained for; 512 for editing and 1024 for drawing where nothing else is said. */
  readonly pixels?: CheckpointSide | undefined;
  /** What a ControlAR transformer was trained to hold, where its file's name does not say. */
  readonly control?: ControlKind | undefined;
  /** Weights that need no other precision stay where they are. */
  readonly inPlace?: boolean | undefined;
  /** What the place that they come from says of it, where they say nothing themselves. */
  readonly licence?: string | undefined;
  /** Of the transformer and the text encoder; float32 (exact) where nothing else is said. */
  readonly precision?: Precision;
}

/** Sides of the token grids that VAR was published with. */
const PUBLISHED_SIDES: readonly (readonly number[])[] = [
  [1, 2, 3, 4, 5, 6, 8, 10, 13, 16], // 256 pixels
  [1, 2, 3, 4, 6, 9, 13, 18, 24, 32], // 512 pixels
];

/** Token grids that VAREdit and Infinity run, of the 13 to one megapixel, and the pictures that they make. */
const SCALES_BY_PIXELS: Readonly<Record<CheckpointSide, number>> = { 256: 7, 512: 10, 1024: 13 };
const SQUARE = '1.000';
const TOKEN_CELL = 16;
const MAX_PROMPT = 512;

/**
 * A pack of files that the authors published, told from their tensors alone: VAR and its tokenizer, or VAREdit or
 * Infinity with its tokenizer, T5's encoder and T5's `tokenizer.json`.
 *
 * @throws ExpectedError `weights.refused` where they are not the parts of one model.
 */
export function packOfCheckpoints(files: PublishedFiles): CheckpointPack {
  const unknown = files.reports.find(({ model }) => model === null);
  if (unknown) throw new ExpectedError('weights.refused', `${basename(unknown.file)}: ${unknown.reason ?? 'not recognised.'}`);
  const has = (family: ModelShape['family']) => files.reports.some((report) => report.model?.family === family);
  if (has('infinity')) return infinityPack(files);
  if (has('depth')) return depthPack(files);
  return has('controlar') ? controlArPack(files) : varPack(files);
}

function varPack(files: PublishedFiles): CheckpointPack {
  const parts = partsOf(files, ['var', 'vector-tokenizer'], 'a VAR transformer and its tokenizer');
  const [transformer, tokenizer] = [only(parts, 'var'), only(parts, 'vector-tokenizer')];
  expectOneCodebook(transformer.model, tokenizer.model);
  return {
    sources: [sourceOf('transformer', transformer.report, files), sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace })],
    cardOf: (copied) => varCard(headOf(files, transformer.report, copied), transformer.model, tokenizer.model),
  };
}

function infinityPack(files: PublishedFiles): CheckpointPack {
  const { transformer, tokenizer, text, sources } = promptedParts(
    files,
    ['infinity', 'bitwise-tokenizer'],
    'a VAREdit or Infinity transformer',
  );
  expectFittingTokens(transformer.model, tokenizer.model);
  return {
    sources,
    cardOf: (copied) =>
      infinityCard(headOf(files, transformer.report, copied), {
        ...files,
        transformer: transformer.model,
        tokenizer: tokenizer.model,
        textWidth: text.model.width,
        task: files.task ?? taskNamed(transformer.report.file),
      }),
  };
}

/** Tensors do not say whether a model saw pictures; Infinity's published files carry its name. */
function taskNamed(file: string): CheckpointTask {
  return basename(file).toLowerCase().includes('infinity') ? 'generate' : 'edit';
}

function controlArPack(files: PublishedFiles): CheckpointPack {
  const { transformer, tokenizer, text, sources } = promptedParts(files, ['controlar', 'raster-tokenizer'], 'a ControlAR transformer');
  expectOneCodebook(transformer.model, tokenizer.model);
  if (transformer.model.textWidth !== text.model.width) {
    throw new ExpectedError(
      'weights.refused',
      `Expected a text encoder ${transformer.model.textWidth} wide but received one of ${text.model.width}.`,
    );
  }
  const control = files.control ?? controlNamed(transformer.report.file);
  return {
    sources,
    cardOf: (copied) =>
      controlArCard(headOf(files, transformer.report, copied), { transformer: transformer.model, tokenizer: tokenizer.model, control }),
  };
}

function depthPack(files: PublishedFiles): CheckpointPack {
  const { report, model } = only(partsOf(files, ['depth'], 'one depth model and nothing else'), 'depth');
  return { sources: depthSources(report, model), cardOf: (copied) => depthCard(headOf(files, report, copied), report, model) };
}

/** A transformer, its tokenizer, and T5 with its `tokenizer.json`. */
function promptedParts<T extends ModelShape['family'], V extends ModelShape['family']>(
  files: PublishedFiles,
  [first, second]: readonly [T, V],
  name: string,
) {
  const wanted = `${name}, its tokenizer, the T5 encoder and its tokenizer.json`;
  const parts = partsOf(files, [first, second, 't5-encoder'], wanted);
  const { textTokenizer } = files;
  if (!textTokenizer) throw new ExpectedError('weights.refused', `Expected ${wanted} but received no tokenizer.json.`);
  const [transformer, tokenizer, text] = [only(parts, first), only(parts, second), only(parts, 't5-encoder')];
  const sources: PackSource[] = [
    sourceOf('transformer', transformer.report, files),
    sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace }),
    ...(parts.get('t5-encoder') ?? []).map(({ report }) => sourceOf('text', report, files)).filter(({ bytes }) => bytes > 0),
    { role: 'text-tokenizer', ...textTokenizer, files: [textTokenizer.path] },
  ];
  return { transformer, tokenizer, text, sources };
}

/** Tensors do not say which maps a model was trained on; published files are named after them. */
function controlNamed(file: string): ControlKind {
  const words: readonly (readonly [word: string, kind: ControlKind])[] = [
    ...CONTROL_KINDS.map((kind) => [kind, kind] as const),
    ['seg', 'segmentation'],
  ];
  const found = words.find(([word]) => basename(file).toLowerCase().includes(word));
  if (found) return found[1];
  throw new ExpectedError(
    'request.invalid',
    `Expected the kind of control (${CONTROL_KINDS.join(', ')}) that ${basename(file)} was trained for but received none.`,
    { details: { field: 'control' } },
  );
}

interface Part<F extends ModelShape['family'] = ModelShape['family']> {
  readonly report: InspectReport;
  readonly model: Shape<F>;
}

type Parts = ReadonlyMap<ModelShape['family'], readonly Part[]>;

/** The reports by family; every family once, text encoders as often as they have files. */
function partsOf({ reports }: PublishedFiles, families: readonly ModelShape['family'][], wanted: string): Parts {
  const parts = new Map<ModelShape['family'], Part[]>();
  for (const report of reports) {
    if (report.model) parts.set(report.model.family, [...(parts.get(report.model.family) ?? []), { report, model: report.model }]);
  }
  const complete = families.every((family) => (family === 't5-encoder' ? parts.has(family) : parts.get(family)?.length === 1));
  if (complete && parts.size === families.length) return parts;
  const received = reports.map(({ model }) => model?.family).join(', ');
  throw new ExpectedError('weights.refused', `Expected ${wanted} but received ${received}.`);
}

function only<F extends ModelShape['family']>(parts: Parts, family: F): Part<F> {
  return at(parts.get(family) ?? [], 0) as unknown as Part<F>;
}

/** Bytes per weight, scales and what stays float32 included. */
const WRITTEN_BYTES: Readonly<Record<Precision, number>> = { float32: 4, half: 2.3, int8: 1.25, int4: 0.85 };

type SourceWish = Pick<PublishedFiles, 'precision' | 'inPlace'>;

/** T5 is published with its decoder, which nobody asks; the halves share the table of words. */
const TEXT_ENCODER = ['shared', 'encoder'];

/** Files that are float32, in one piece and all needed are copied as they are, or stay; at half precision stored halves can stay, too. */
function sourceOf(role: PackFile['role'], report: InspectReport, { precision = 'float32', inPlace = false }: SourceWish): PackSource {
  const { file, files, sizeBytes, tensors } = report;
  const only = role === 'text' ? TEXT_ENCODER : undefined;
  const needed = tensors.filter(({ name }) => only?.includes(name.split('.', 1)[0] ?? '') !== false);
  const isHalf = needed.some(({ dtype }) => dtype === 'float16' || dtype === 'bfloat16');
  const inOnePiece = files.length === 1 && needed.length === tensors.length;
  const asItIs = inOnePiece && (isHalf ? inPlace && precision === 'half' : precision === 'float32');
  if (asItIs) return { role, path: file, files, bytes: sizeBytes, ...(inPlace && { stays: true as const }) };
  const parameters = needed.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  return {
    role,
    path: file,
    files,
    bytes: Math.ceil(parameters * WRITTEN_BYTES[precision]),
    written: { precision, ...(only && { only }) },
  };
}

/** A transformer that reads indices says nothing of the codes' width. */
function expectOneCodebook(transformer: { entries: number; codeWidth?: number }, tokenizer: { entries: number; codeWidth: number }): void {
  const { entries, codeWidth = tokenizer.codeWidth } = transformer;
  if (entries === tokenizer.entries && codeWidth === tokenizer.codeWidth) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a tokenizer of ${entries} codes with ${codeWidth} channels but received ${tokenizer.entries} with ${tokenizer.codeWidth}.`,
  );
}

function expectFittingTokens(transformer: Shape<'infinity'>, tokenizer: Shape<'bitwise-tokenizer'>): void {
  const cells = transformer.tokenBits / tokenizer.tokenBits;
  if (cells === 1 || cells === 4) return;
  throw new ExpectedError(
    'weights.refused',
    `Expected a tokenizer of ${transformer.tokenBits} bits, or of a quarter of them, but received ${tokenizer.tokenBits}.`,
  );
}

/** What cards of every family begin with. */
function headOf(
  { reports, name, licence = 'not stated in the files', precision = 'float32' }: PublishedFiles,
  transformer: InspectReport,
  copied: readonly PackFile[],
) {
  return {
    format: 1 as const,
    name: name ?? nameOf(transformer.file),
    version: '1.0.0',
    precision,
    licence: reports.find((report) => report.licence !== null)?.licence ?? licence,
    files: [...copied],
    dataSources: [],
  };
}

/** Published weights were not trained for subsets of layers: only the two lightest presets leave any out. */
function presetsOf(depth: number): PackCard['presets'] {
  return { best: depth, balanced: depth, fast: Math.ceil((depth * 3) / 4), draft: Math.ceil(depth / 2) };
}

const UNTRAINED_PRESETS: NonNullable<PackCard['untrainedPresets']> = ['fast', 'draft'];
const EXPERIMENTAL_PRESETS = 'experimental: the presets fast and draft were not trained for';

function varCard(head: ReturnType<typeof headOf>, model: Shape<'var'>, tokenizer: Shape<'vector-tokenizer'>): PackCard {
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
      transformer: { depth, width, heads, codeWidth, entries, classes, scales, text: textOf(classes), lateScales },
      tokenizer: { kind: 'vqvae', downsample },
    },
    presets: presetsOf(depth),
    untrainedPresets: UNTRAINED_PRESETS,
    defaults: { guidance: 5, guidanceRamp: 'linear', temperature: 1, topK: 900, topP: 0.95, fillInstruction: '' },
    abilities: ['pictures of a named class', 'experimental: fill, expand and drawing a named class into a mask, without training for it'],
    limits: ['knows ImageNet classes only, no sentences', EXPERIMENTAL_PRESETS],
  };
}

interface InfinityParts {
  readonly transformer: Shape<'infinity'>;
  readonly tokenizer: Shape<'bitwise-tokenizer'>;
  readonly textWidth: number;
  readonly task: CheckpointTask;
  readonly pixels?: CheckpointSide | undefined;
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
    limits: ['experimental: fill and expand were not trained for', EXPERIMENTAL_PRESETS],
  },
  generate: {
    title: 'Infinity',
    pixels: 1024,
    fillInstruction: 'a photograph',
    abilities: ['pictures from words', 'experimental: fill, expand and drawing into a mask, without training for it'],
    limits: ['edits nothing by instruction', EXPERIMENTAL_PRESETS],
  },
};

function infinityCard(head: ReturnType<typeof headOf>, parts: InfinityParts): PackCard {
  const { transformer, tokenizer, textWidth, task } = parts;
  const { title, fillInstruction, abilities, limits, pixels: trained } = INFINITY_TASKS[task];
  const { depth, width, heads, tokenBits } = transformer;
  const count = SCALES_BY_PIXELS[parts.pixels ?? trained];
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

interface ControlArParts {
  readonly transformer: Shape<'controlar'>;
  readonly tokenizer: Shape<'raster-tokenizer'>;
  readonly control: ControlKind;
}

function controlArCard(head: ReturnType<typeof headOf>, { transformer, tokenizer, control }: ControlArParts): PackCard {
  const { depth, width, heads, entries, imageTokens, textWidth, textTokens } = transformer;
  const side = Math.sqrt(imageTokens);
  const downsample = 2 ** (tokenizer.depth - 1);
  const scales = Array.from({ length: side }, (): [number, number] => [1, side]);
  const text = { kind: 'features' as const, width: textWidth, maxTokens: textTokens };
  return {
    ...head,
    title: `ControlAR, ${depth} layers, ${control}`,
    family: 'controlar',
    imageSize: side * downsample,
    config: { transformer: { depth, width, heads, entries, scales, text, control, lateScales: 0 }, tokenizer: { kind: 'vq', downsample } },
    presets: { best: depth, balanced: depth, fast: depth, draft: depth },
    defaults: { guidance: 4, guidanceRamp: 'constant', temperature: 1, topK: 2000, topP: 1, fillInstruction: 'a high-quality image' },
    abilities: [`pictures from words, held by a map: ${control}`],
    limits: ['draws token by token, so it takes minutes without a GPU', 'no depth presets'],
  };
}

function scalesOf({ levels, positions }: Shape<'var'>): [number, number][] {
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

function textOf(classes: number): { kind: 'classes'; names: string[] } {
  const names = classes === imagenetNames.length ? imagenetNames : Array.from({ length: classes }, (_, index) => `class ${index}`);
  return { kind: 'classes', names };
}

function nameOf(file: string): string {
  const stem = basename(file).replace(/\.[^.]*$/u, '');
  return stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
}
