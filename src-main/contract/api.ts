import * as v from 'valibot';
import type { Extent } from '#base/geometry.js';
import type { EditEvent, Notice } from './event.js';
import type { PackCard } from './pack-card.js';
import { EditRequest, OUTPUT_FORMATS, PictureId, TokenFile, type EditRequestInput, type OutputFormat, type Preset } from './request.js';

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
  readonly title: string;
  readonly version: string;
  readonly builtIn: boolean;
  readonly licence: string;
  readonly sizeBytes: number;
  readonly folder: string;
}

export interface PackInfo extends PackSummary {
  readonly card: PackCard;
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
  'tokens.make': { in: { pack: string; source: PictureId }; out: TokenFile };
  'tokens.decode': { in: { tokens: TokenFile; format: OutputFormat }; out: PictureInfo };
}

/** Work that reports as it goes; dropping the iteration cancels it. */
export interface Streams {
  'edit.run': { in: EditRequestInput; out: EditEvent };
}

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
  'tokens.make': v.object({ pack: name, source: PictureId }),
  'tokens.decode': v.object({ tokens: TokenFile, format: v.picklist(OUTPUT_FORMATS) }),
} as const satisfies Record<keyof Calls, v.GenericSchema>;

export const STREAM_INPUTS = { 'edit.run': EditRequest } as const satisfies Record<keyof Streams, v.GenericSchema>;

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
