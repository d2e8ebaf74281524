import type { Cancellation } from '#base/cancellation.js';
import type { InstructionReport, Losses, MachineReport, PictureInfo, ProviderReport } from '#contract/api.js';
import type { Extent } from '#base/geometry.js';
import type { Framing } from '#contract/framing.js';
import type { Notice } from '#contract/event.js';
import type { Forecast } from '#contract/forecast.js';
import type { AnyCard } from '#contract/pack-card.js';
import type { Pointing } from '#contract/selection.js';
import type { FileRecipe } from '#contract/recipe.js';
import type { EditRequest, PictureId, TokenFile } from '#contract/request.js';
import type { TokenizerFacts, TokenizerReport } from '#contract/tokenizer-report.js';
import type { OutputSettings } from '#engine/image/files/encode.js';
import type { Layer } from '#engine/image/compositing/layers.js';
import type { PipelineEvent } from '#engine/pipelines/model.js';
import type { ForeignDecoder, ForeignDepth, ForeignEncoder, InspectReport, InstalledPack, ModelShape } from '#engine/families/report.js';
import type { RoundingErrors } from '#engine/weights/rounding-errors.js';
import type { WriteOptions, WrittenFile } from '#engine/weights/write-weights.js';

export type { ForeignDecoder, ForeignDepth, ForeignEncoder, InspectReport, InstalledPack, ModelShape, RoundingErrors, WrittenFile };

/** A layer whose pictures are encoded. */
export type EncodedLayer = Omit<Layer, 'picture' | 'mask'> & { readonly picture: EncodedPicture; readonly mask?: EncodedPicture };

/** A weights file to be written anew. */
export interface WriteWork extends WriteOptions {
  readonly file: string;
}

/** Bytes since the last event, or the end. */
export type WriteEvent = { readonly bytes: number } | { readonly written: WrittenFile };

/** An encoded picture: its bytes, or the file that holds them. A file is read by the engine itself: no copy crosses over. */
export type EncodedPicture = Uint8Array | { readonly file: string };

/** A request together with the encoded pictures that it names. */
export interface EngineJob {
  readonly request: EditRequest;
  readonly pack: InstalledPack;
  /** Whose depth estimator the request's control asks for, where it is not the pack's own. */
  readonly estimator?: InstalledPack<AnyCard>;
  readonly pictures: Readonly<Record<PictureId, EncodedPicture>>;
  /** What the process that computes may have in all; absent = all that there is. */
  readonly memoryLimitBytes?: number;
  /** Parity tools: forced tokens per scale and a wish for the raw logits. */
  readonly probe?: { readonly forceTokens?: TokenFile; readonly keepLogits?: boolean };
}

/** Pictures inside events are encoded bytes in the request's output format (previews: PNG). */
export type EngineEvent = PipelineEvent;

/** A recipe is the text that stands in the file: nobody has looked at it yet. */
export type PictureFacts = Omit<PictureInfo, 'id' | 'name' | 'recipe'> & { readonly recipeText?: string };

/** Encoded pictures. */
export interface CarryWish {
  readonly before: EncodedPicture;
  readonly after: EncodedPicture;
  readonly onto: EncodedPicture;
}

/** Encoded pictures of one size, and how strongly (0..1) the one above counts, where its mask is white. */
export interface BlendWish {
  readonly below: EncodedPicture;
  readonly above: EncodedPicture;
  readonly opacity: number;
  readonly mask?: EncodedPicture;
}

/** How a picture is to be written. */
export type ConvertWish = OutputSettings & { readonly recipe?: FileRecipe };

/** An object to be found in a picture, and who tells how near things are, where anyone can. */
export interface SelectJob {
  readonly picture: EncodedPicture;
  readonly pointing: Pointing;
  readonly estimator?: InstalledPack<AnyCard>;
  /** Asked instead of looking at colours, edges and depth. */
  readonly segmenter?: InstalledPack<AnyCard>;
}

export interface ReadMask {
  readonly picture: Uint8Array;
  readonly notices: readonly Notice[];
}

/** All that the outside may ask of image intelligence. Implemented in the inference process; this side is a client of it. */
export interface Engine {
  /** Never throws: failures and cancellation are events, and the last event is done, failed or cancelled. */
  run(job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void>;
  forecast(job: EngineJob): Promise<Forecast>;
  /** The control map that the request asks for, as the model sees it: a PNG of the model's size. */
  controlMap(job: EngineJob): Promise<Uint8Array>;
  describe(picture: EncodedPicture): Promise<PictureFacts>;
  convert(picture: EncodedPicture, output: ConvertWish): Promise<Uint8Array>;
  /** What each format has no place for of a picture. */
  losses(picture: EncodedPicture): Promise<Losses>;
  /** What turned `before` into `after`, done to `onto`: a PNG; null where that is no edit of its own. */
  carry(change: CarryWish): Promise<Uint8Array | null>;
  /** One picture over another, as a PNG. Throws `request.invalid` where their sizes differ. */
  blend(wish: BlendWish): Promise<Uint8Array>;
  /** A picture turned, straightened and cut, as a PNG. Throws `request.invalid`. */
  frame(picture: EncodedPicture, framing: Framing): Promise<Uint8Array>;
  /** A mask file of any kind as a gray PNG of `size`, white where to repaint. */
  readMask(mask: EncodedPicture, size: Extent): Promise<ReadMask>;
  /** The object that is pointed at as a gray PNG, white where it is: one event. Throws CancelledError. */
  select(job: SelectJob, signal: Cancellation): AsyncGenerator<Uint8Array, void>;
  /** Layers as a Photoshop file, the lowest first. */
  layers(layers: readonly EncodedLayer[]): Promise<Uint8Array>;
  tokenize(pack: InstalledPack, picture: EncodedPicture): Promise<TokenFile>;
  decode(pack: InstalledPack, tokens: TokenFile, output: OutputSettings): Promise<Uint8Array>;
  /** What the pack's tokenizer keeps of pictures, at least one. */
  reportTokenizer(pack: InstalledPack, pictures: readonly EncodedPicture[]): Promise<TokenizerReport>;
  /** What the pack's card says of its tokenizer; opens nothing that stays open. */
  tokenizerFacts(pack: InstalledPack): Promise<TokenizerFacts>;
  checkInstruction(pack: InstalledPack, instruction: string): Promise<InstructionReport>;
  providers(): Promise<readonly ProviderReport[]>;
  machine(): Promise<MachineReport>;
  inspect(file: string): Promise<InspectReport>;
  /** What each precision changes in the outputs of a weights file's linear layers; undefined where it has none to round. */
  roundingErrors(file: string): Promise<RoundingErrors | undefined>;
  /** Writes a weights file as safetensors, in pieces; the last event says what was written. Throws CancelledError. */
  writeWeights(work: WriteWork, signal: Cancellation): AsyncGenerator<WriteEvent, void>;
  /** Ends the inference process at once (hard cancel); the next question starts a new one. */
  kill(): void;
  close(): Promise<void>;
}
