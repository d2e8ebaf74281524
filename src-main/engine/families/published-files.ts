import { basename } from 'node:path';
import { at } from '#base/assert.js';
import type { CheckpointSide, CheckpointTask, TakenChoices } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { AnyCard, PackCard, PackFile, Precision } from '#contract/pack-card.js';
import { CONTROL_KINDS, type ControlKind } from '#contract/request.js';
import { EXPERIMENTAL } from '#contract/traits.js';
import type { Weights } from '#engine/weights/handle.js';
import type { WriteOptions } from '#engine/weights/write-weights.js';
import type { Network, NetworkShape } from './network.js';
import type { InspectReport, ModelShape } from './report.js';
import { t5Encoder } from './t5.js';

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
  readonly written?: Pick<WriteOptions, 'precision' | 'only'>;
}

/** What published files become: everything of a card but the copied files. */
export interface CheckpointPack {
  readonly sources: readonly PackSource[];
  readonly cardOf: (files: readonly PackFile[]) => AnyCard;
  /** What the files leave open, so that it can be said and chosen. */
  readonly taken?: TakenChoices;
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
  /** Parts of an installed pack are among them, which stay where they are. */
  readonly standing?: boolean | undefined;
  /** What the place that they come from says of it, where they say nothing themselves. */
  readonly licence?: string | undefined;
  /** Of the transformer and the text encoder; float32 (exact) where nothing else is said. */
  readonly precision?: Precision;
}

/** A transformer, its tokenizer, and T5 with its `tokenizer.json`. */
export function promptedParts<T extends NetworkShape, V extends NetworkShape>(
  files: PublishedFiles,
  [first, second]: readonly [Network<T>, Network<V>],
  name: string,
) {
  const wanted = `${name}, its tokenizer, the T5 encoder and its tokenizer.json`;
  const parts = partsOf(files, [first.name, second.name, t5Encoder.name], wanted);
  const { textTokenizer } = files;
  if (!textTokenizer) throw new ExpectedError('weights.refused', `Expected ${wanted} but received no tokenizer.json.`);
  const [transformer, tokenizer, text] = [only(parts, first), only(parts, second), only(parts, t5Encoder)];
  const sources: PackSource[] = [
    sourceOf('transformer', transformer.report, files),
    sourceOf('tokenizer', tokenizer.report, { inPlace: files.inPlace }),
    ...(parts.get(t5Encoder.name) ?? [])
      .map(({ report }) => sourceOf('text', report, { ...files, only: T5_ENCODER }))
      .filter(({ bytes }) => bytes > 0),
    { role: 'text-tokenizer', ...textTokenizer, files: [textTokenizer.path] },
  ];
  return { transformer, tokenizer, text, sources };
}

/** A transformer that reads features of text says how wide they are. */
export function expectTextWidth({ textWidth }: { readonly textWidth: number }, { width }: { readonly width: number }): void {
  if (textWidth === width) return;
  throw new ExpectedError('weights.refused', `Expected a text encoder ${textWidth} wide but received one of ${width}.`);
}

interface Part<S extends ModelShape = ModelShape> {
  readonly report: InspectReport;
  readonly model: S;
}

type Parts = ReadonlyMap<string, readonly Part[]>;

/** A network, or what goes by its name. */
interface Named<S> {
  readonly name: string;
  read?(weights: Weights): S;
}

/** The reports by family; every family once, text encoders as often as they have files. */
export function partsOf({ reports }: PublishedFiles, families: readonly string[], wanted: string): Parts {
  const parts = new Map<string, Part[]>();
  for (const report of reports) {
    if (report.model) parts.set(report.model.family, [...(parts.get(report.model.family) ?? []), { report, model: report.model }]);
  }
  const complete = families.every((family) => (family === t5Encoder.name ? parts.has(family) : parts.get(family)?.length === 1));
  if (complete && parts.size === families.length) return parts;
  const received = reports.map(({ model }) => model?.family).join(', ');
  throw new ExpectedError('weights.refused', `Expected ${wanted} but received ${received}.`);
}

/** The part that a network plays: what was read by it has its shape. */
export function only<S extends ModelShape>(parts: Parts, { name }: Named<S>): Part<S> {
  return at(parts.get(name) ?? [], 0) as Part<S>;
}

/** Bytes per weight, scales and what stays float32 included. */
const WRITTEN_BYTES: Readonly<Record<Precision, number>> = { float32: 4, half: 2.3, int8: 1.25, int4: 0.85 };

interface SourceWish extends Pick<PublishedFiles, 'precision' | 'inPlace'> {
  /** First words of the names that are needed; absent = all are. */
  readonly only?: readonly string[];
}

/** T5 is published with its decoder, which nobody asks; the halves share the table of words. */
const T5_ENCODER = ['shared', 'encoder'];

/** Files that are float32, in one piece and all needed are copied as they are, or stay; at half precision stored halves can stay, too. */
export function sourceOf(
  role: PackFile['role'],
  report: InspectReport,
  { precision = 'float32', inPlace = false, only }: SourceWish,
): PackSource {
  const { file, files, sizeBytes, tensors } = report;
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

/** What cards of every family begin with. */
export function headOf(
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

export type CardHead = ReturnType<typeof headOf>;

/** Published weights were not trained for subsets of layers: only the two lightest presets leave any out. */
export function presetsOf(depth: number): PackCard['presets'] {
  return { best: depth, balanced: depth, fast: Math.ceil((depth * 3) / 4), draft: Math.ceil(depth / 2) };
}

export const UNTRAINED_PRESETS: NonNullable<PackCard['untrainedPresets']> = ['fast', 'draft'];
export const EXPERIMENTAL_PRESETS = `${EXPERIMENTAL}the presets fast and draft were not trained for`;

function nameOf(file: string): string {
  const stem = basename(file).replace(/\.[^.]*$/u, '');
  return stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
}

/** Tensors do not say which maps a model was trained on; published files are named after them, and some by another word. */
export function controlNamed(file: string, other: readonly [word: string, kind: ControlKind]): ControlKind {
  const words = [...CONTROL_KINDS.map((kind) => [kind, kind] as const), other];
  const found = words.find(([word]) => basename(file).toLowerCase().includes(word));
  if (found) return found[1];
  throw new ExpectedError(
    'request.invalid',
    `Expected the kind of control (${CONTROL_KINDS.join(', ')}) that ${basename(file)} was trained for but received none.`,
    { details: { field: 'control' } },
  );
}
