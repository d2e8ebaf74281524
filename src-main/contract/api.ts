import * as v from 'valibot';
import type { Extent } from '#base/geometry.js';
import type { EditEvent, Notice } from './event.js';
import type { ErrorData } from './errors.js';
import { PRECISIONS, type AnyCard, type PackFile, type Precision } from './pack-card.js';
import { JournalOwner, Project, type ProjectInput } from './project.js';
import {
  CONTROL_KINDS,
  EditRequest,
  OUTPUT_FORMATS,
  PictureId,
  TokenFile,
  type EditRequestInput,
  type OutputFormat,
  type Preset,
} from './request.js';

/** What the service knows of a picture that it holds. */
export interface PictureInfo {
  readonly id: PictureId;
  readonly name: string;
  /** Upright, after EXIF orientation. */
  readonly size: Extent;
  readonly format: OutputFormat;
  readonly bitDepth: 8 | 16;
  readonly hasAlpha: boolean;
  readonly hasProfile: boolean;
  readonly notices: readonly Notice[];
}

export interface PackSummary {
  readonly name: string;
  readonly family: AnyCard['family'];
  readonly title: string;
  readonly version: string;
  readonly builtIn: boolean;
  readonly licence: string;
  readonly sizeBytes: number;
  readonly folder: string;
}

export interface PackInfo extends PackSummary {
  readonly card: AnyCard;
}

export interface PackVerification {
  readonly name: string;
  readonly ok: boolean;
  readonly files: readonly { readonly name: string; readonly ok: boolean; readonly reason?: string }[];
}

export interface ProviderReport {
  readonly name: string;
  readonly available: boolean;
  /** Why it cannot be used here; absent where it can. */
  readonly whyNot?: string;
}

/** Expected cost of a run on this machine, per depth preset. */
export type Forecast = Readonly<Record<Preset, { readonly ms: number; readonly bytes: number; readonly layers: number }>>;

export interface InstructionReport {
  /** Words outside the pack's vocabulary, each with known words spelt nearly alike. */
  readonly unknownWords: readonly { readonly word: string; readonly suggestions: readonly string[] }[];
  /** Instructions that the pack does understand, given where a word is unknown. */
  readonly understands: readonly string[];
  readonly known: boolean;
  readonly cut: boolean;
}

/** A pack that published files would become, before anything is written. */
export interface CheckpointReport {
  readonly name: string;
  readonly family: AnyCard['family'];
  readonly title: string;
  readonly licence: string;
  /** What to know before using it. */
  readonly limits: readonly string[];
  readonly parts: readonly { readonly file: string; readonly role: PackFile['role'] }[];
  /** What each precision takes on disk, and a picture in memory and time on this machine; of packs that draw. */
  readonly precisions: readonly {
    readonly precision: Precision;
    readonly diskBytes: number;
    readonly memoryBytes: number;
    readonly ms: number;
  }[];
}

export type ImportEvent =
  | { readonly type: 'progress'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'imported'; readonly pack: PackSummary }
  | { readonly type: 'failed'; readonly error: ErrorData }
  | { readonly type: 'cancelled' };

/** Questions with one answer. */
export interface Calls {
  'packs.list': { in: Record<string, never>; out: readonly PackSummary[] };
  'packs.info': { in: { name: string }; out: PackInfo };
  'packs.verify': { in: { name: string }; out: PackVerification };
  'providers.list': { in: Record<string, never>; out: readonly ProviderReport[] };
  'picture.describe': { in: { id: PictureId }; out: PictureInfo };
  /** Re-encodes a held picture for saving; the answer names the new picture. */
  'picture.convert': { in: { id: PictureId; format: OutputFormat; quality: number }; out: PictureInfo };
  'picture.close': { in: { id: PictureId }; out: null };
  'instruction.check': { in: { pack: string; instruction: string }; out: InstructionReport };
  'edit.forecast': { in: EditRequestInput; out: Forecast };
  /** The control map of a request as the model sees it: of the whole source, at the model's size. */
  'control.preview': { in: EditRequestInput; out: PictureInfo };
  'checkpoints.describe': { in: ImportRequestInput; out: CheckpointReport };
  /** What is on a window's table, for the day that the program dies; null = nothing. */
  'journal.write': { in: { owner: string; project: ProjectInput | null }; out: null };
  /** What was on this window's table, or on the last one of a program that has ended. */
  'journal.recover': { in: { owner: string }; out: Project | null };
  'tokens.make': { in: { pack: string; source: PictureId }; out: TokenFile };
  'tokens.decode': { in: { tokens: TokenFile; format: OutputFormat }; out: PictureInfo };
}

/** Work that reports as it goes; dropping the iteration cancels it. */
export interface Streams {
  'edit.run': { in: EditRequestInput; out: EditEvent };
  /** Makes a pack of files that authors published; leaving it early leaves nothing behind. */
  'checkpoints.import': { in: ImportRequestInput; out: ImportEvent };
}

/** Published files by their absolute paths, and what their tensors do not say. */
export const ImportRequest = v.object({
  files: v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))), v.minLength(1), v.maxLength(64)),
  /** Absent = that of the transformer's file. */
  name: v.optional(v.pipe(v.string(), v.maxLength(128))),
  /** Side of the picture that the transformer was trained for. */
  pixels: v.optional(v.picklist([256, 512, 1024])),
  /** What a ControlAR transformer was trained to hold, where its file's name does not say. */
  control: v.optional(v.picklist(CONTROL_KINDS)),
  /** Whether a transformer edits (VAREdit) or draws from words alone (Infinity): their tensors are alike. Absent = by its file's name. */
  task: v.optional(v.picklist(['edit', 'generate'])),
  /** Of the transformer and the text encoder. */
  precision: v.optional(v.picklist(PRECISIONS), 'float32'),
});
export type ImportRequest = v.InferOutput<typeof ImportRequest>;
export type ImportRequestInput = v.InferInput<typeof ImportRequest>;

const nothing = v.strictObject({});
const name = v.pipe(v.string(), v.maxLength(128));
const picture = v.object({ id: PictureId });

/** The boundary: every input is parsed by its schema before anything else sees it. A gap does not compile. */
export const CALL_INPUTS = {
  'packs.list': nothing,
  'packs.info': v.object({ name }),
  'packs.verify': v.object({ name }),
  'providers.list': nothing,
  'picture.describe': picture,
  'picture.convert': v.object({
    id: PictureId,
    format: v.picklist(OUTPUT_FORMATS),
    quality: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100)),
  }),
  'picture.close': picture,
  'instruction.check': v.object({ pack: name, instruction: v.string() }),
  'edit.forecast': EditRequest,
  'control.preview': EditRequest,
  'checkpoints.describe': ImportRequest,
  'journal.write': v.object({ owner: JournalOwner, project: v.nullable(Project) }),
  'journal.recover': v.object({ owner: JournalOwner }),
  'tokens.make': v.object({ pack: name, source: PictureId }),
  'tokens.decode': v.object({ tokens: TokenFile, format: v.picklist(OUTPUT_FORMATS) }),
} as const satisfies Record<keyof Calls, v.GenericSchema>;

export const STREAM_INPUTS = { 'edit.run': EditRequest, 'checkpoints.import': ImportRequest } as const satisfies Record<
  keyof Streams,
  v.GenericSchema
>;

export type CallName = keyof Calls;
export type StreamName = keyof Streams;

/** What a host implements and a client holds: the same two functions over every wire. */
export interface Transport {
  call<N extends CallName>(name: N, input: Calls[N]['in']): Promise<Calls[N]['out']>;
  stream<N extends StreamName>(
    name: N,
    input: Streams[N]['in'],
    signal?: { readonly aborted: boolean; addEventListener(type: 'abort', listener: () => void): void },
  ): AsyncGenerator<Streams[N]['out'], void>;
}
