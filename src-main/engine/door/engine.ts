import type { Cancellation } from '#base/cancellation.js';
import type { Forecast, InstructionReport, MachineReport, PictureInfo, ProviderReport } from '#contract/api.js';
import type { PackCard, Precision } from '#contract/pack-card.js';
import type { EditRequest, OutputFormat, PictureId, TokenFile } from '#contract/request.js';
import type { PipelineEvent } from '../pipelines/model.js';
import type { ModelShape } from '../weights/recognise.js';
import type { WrittenFile } from '../weights/write-weights.js';

export type { ModelShape, WrittenFile };

export interface WriteWork {
  readonly file: string;
  /** Must not exist yet. */
  readonly target: string;
  readonly precision: Precision;
}

/** Bytes since the last event, or the end. */
export type WriteEvent = { readonly bytes: number } | { readonly written: WrittenFile };

/** A pack as the engine needs it: what it says and where its files lie. */
export interface InstalledPack {
  readonly card: PackCard;
  readonly folder: string;
}

/** A request together with the encoded pictures that it names. */
export interface EngineJob {
  readonly request: EditRequest;
  readonly pack: InstalledPack;
  readonly pictures: Readonly<Record<PictureId, Uint8Array>>;
  /** Parity tools: forced tokens per scale and a wish for the raw logits. */
  readonly probe?: { readonly forceTokens?: TokenFile; readonly keepLogits?: boolean };
}

/** Pictures inside events are encoded bytes in the request's output format (previews: PNG). */
export type EngineEvent = PipelineEvent;

export type PictureFacts = Omit<PictureInfo, 'id' | 'name'>;

export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What `inspect` says of a weights file without running anything in it. */
export interface InspectReport {
  readonly file: string;
  readonly format: string;
  readonly sizeBytes: number;
  readonly parameters: number;
  /** The recognised family, or null with `reason`. */
  readonly model: ModelShape | null;
  readonly reason?: string;
  readonly licence: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
}

/** All that the outside may ask of image intelligence. Implemented in the inference process; this side is a client of it. */
export interface Engine {
  /** Never throws: failures and cancellation are events, and the last event is done, failed or cancelled. */
  run(job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void>;
  forecast(job: EngineJob): Promise<Forecast>;
  /** The control map that the request asks for, as the model sees it: a PNG of the model's size. */
  controlMap(job: EngineJob): Promise<Uint8Array>;
  describe(picture: Uint8Array): Promise<PictureFacts>;
  convert(picture: Uint8Array, output: { readonly format: OutputFormat; readonly quality: number }): Promise<Uint8Array>;
  tokenize(pack: InstalledPack, picture: Uint8Array): Promise<TokenFile>;
  decode(pack: InstalledPack, tokens: TokenFile, output: { readonly format: OutputFormat; readonly quality: number }): Promise<Uint8Array>;
  checkInstruction(pack: InstalledPack, instruction: string): Promise<InstructionReport>;
  providers(): Promise<readonly ProviderReport[]>;
  machine(): Promise<MachineReport>;
  inspect(file: string): Promise<InspectReport>;
  /** Writes a weights file as safetensors, in pieces; the last event says what was written. Throws CancelledError. */
  writeWeights(work: WriteWork, signal: Cancellation): AsyncGenerator<WriteEvent, void>;
  /** Ends the inference process at once (hard cancel); the next question starts a new one. */
  kill(): void;
  close(): Promise<void>;
}
