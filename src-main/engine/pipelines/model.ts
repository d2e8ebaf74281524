import type { Cancellation } from '#base/cancellation.js';
import { ExpectedError } from '#contract/errors.js';
import type { Extent, Grid } from '#base/geometry.js';
import type { EditEventOf, Notice, PartPlace } from '#contract/event.js';
import type { PackCard } from '#contract/pack-card.js';
import type { EditRequest, Margins, PictureId, Preset, TokenFile } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import type { ColourMap } from '#engine/image/compositing/colour-map.js';
import type { KeptViews } from '#engine/image/working/whole-view.js';
import type { Quantiser, ScaleTokens } from '#engine/sampling/quantiser.js';
import type { ScalePlan } from '#engine/sampling/scale-loop.js';
import type { DepthEstimator, ObjectFinder, PictureCoder, RasterPredictor, ScalePredictor, TextInput } from '#engine/tensor/predictor.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';

export interface EncodedInstruction {
  readonly text: TextInput;
  readonly notices: readonly Notice[];
}

/** What asks for other token grids than the card's. A model heeds what it can. */
export interface Fit {
  /** Shape of the picture; absent = the model's own. */
  readonly shape?: Extent | undefined;
  /** How many scales, and the side in pixels of a square of as much area; absent = the model's own. */
  readonly scaleCount?: number | undefined;
  readonly modelSide?: number | undefined;
  /** How far an expansion goes to each side. */
  readonly margins?: Margins | undefined;
  /** The very grids that given tokens lie on. */
  readonly schedule?: readonly Grid[] | undefined;
}

/** A picture in tokens. */
export interface Tokenised {
  /** Continuous, `[d, G]`. */
  readonly features: FloatTensor;
  readonly tokens: readonly ScaleTokens[];
  /** The sum of all codes, `[d, G]`. */
  readonly sum: FloatTensor;
}

/** What of a pack turns pictures into tokens and back. */
export interface TokenizerModel {
  readonly card: PackCard;
  readonly coder: PictureCoder;
  readonly quantiser: Quantiser;
  /** The same on other token grids, where it can draw on such; what is released is the first one. */
  readonly fitted?: (fit: Fit) => TokenizerModel;
}

/** A pack with its graphs open. */
export interface EditingModel extends TokenizerModel {
  readonly predictor: ScalePredictor | RasterPredictor;
  readonly depth?: DepthEstimator;
  /** Absent where a pack cannot tell what a picture shows. */
  readonly objects?: ObjectFinder;
  readonly fitted?: (fit: Fit) => EditingModel;
  encodeText(instruction: string): Promise<EncodedInstruction>;
}

/** Whether the masked part is drawn anew, whatever was there. */
export function redrawsMask({ request, model }: PipelineJob): boolean {
  return request.task === 'fill' || request.task === 'expand' || (request.task === 'edit' && !traitsOf(model.card).seesSource);
}

/** Whether the source's own first scales are kept and all else of it drawn anew. */
export function refinesSource({ request, model }: Pick<PipelineJob, 'request' | 'model'>): boolean {
  const { task, source, mask, structure } = request;
  const isWhole = mask === undefined && (task === 'edit' || task === 'generate');
  return isWhole && source !== undefined && structure > 0 && traitsOf(model.card).refines === true;
}

export interface Estimate {
  readonly ms: number;
  readonly bytes: number;
}

/** A source as the tokenizer holds it. */
export interface HeldSource extends Pick<Tokenised, 'features' | 'tokens'> {
  /** What it keeps of the picture, `[1, 3, S, S]`: decoded once, when first asked for. */
  before(): Promise<FloatTensor>;
}

export interface Sources {
  /** `picture` `[1, 3, S, S]`, which nobody writes. */
  of(model: TokenizerModel, picture: FloatTensor): Promise<HeldSource>;
}

/** A request, the encoded pictures that it names, and the model that is to serve it. */
export interface PipelineJob {
  readonly request: EditRequest;
  readonly pictures: Readonly<Record<PictureId, Uint8Array>>;
  readonly model: EditingModel;
  readonly provider: string;
  /** Milliseconds that opening the pack took for this job. */
  readonly loadMs: number;
  readonly probe?: { readonly forceTokens?: TokenFile; readonly keepLogits?: boolean };
  /** What was seen of photos before. */
  readonly views?: KeptViews;
  /** What the pack made of them. */
  readonly sources?: Sources;
  /** What wishes do to colours alone; absent where asking the model a second time would cost too much. */
  readonly wishes?: Wishes;
  /** Expected cost for a canvas of so many pixels and detail scales of so many bytes; throws where it cannot fit into memory. */
  estimate(preset: Preset, canvasPixels: number, detailBytes?: number): Estimate;
  peakRssBytes(): number;
  /** Asked before what a run can do without: previews. Absent = never. */
  isShortOfMemory?(): boolean;
  /** Called when a picture's keys and values are done with, before it is decoded. */
  reclaimMemory?(): void;
}

/** A request, and how its scales are run. */
export interface Wish {
  readonly job: PipelineJob;
  readonly plan: Omit<ScalePlan, 'sampling' | 'predictor'>;
}

export interface Wishes {
  /** The one map of colours that the wish is, or none where it depends on what is in a picture. */
  mapOf(wish: Wish, signal: Cancellation): Promise<ColourMap | undefined>;
}

export type PipelineEvent =
  | EditEventOf<Uint8Array>
  /** Only with `probe.keepLogits`: logit(1) − logit(0) of every bit, `[B, l, D]`, or one per codebook entry, `[B, l, V]`. */
  | {
      readonly type: 'logits';
      readonly scale: number;
      readonly dims: readonly number[];
      readonly data: Float32Array;
      readonly part?: PartPlace;
    };

/** The tokens that a run begins with. */
export function givenFile({ request, probe }: Pick<PipelineJob, 'request' | 'probe'>): TokenFile | undefined {
  return probe?.forceTokens ?? request.resume;
}

/** The encoded picture that the request names. */
export function pictureBytes(job: Pick<PipelineJob, 'pictures'>, id: PictureId | undefined, role: string): Uint8Array {
  const bytes = id === undefined ? undefined : job.pictures[id];
  if (!bytes) throw new ExpectedError('request.invalid', `Expected a ${role} picture but received none.`);
  return bytes;
}

/** The model on the token grids that are asked for, where it can draw on others than its own. */
export function fittedTo<M extends { readonly fitted?: (fit: Fit) => M }>(model: M, fit: Fit): M {
  return model.fitted?.(fit) ?? model;
}

/** The model with another depth estimator, whatever it is fitted to. */
export function withDepth(model: EditingModel, depth: DepthEstimator): EditingModel {
  const { fitted } = model;
  return { ...model, depth, ...(fitted && { fitted: (fit: Fit) => withDepth(fitted(fit), depth) }) };
}

/** Side length in pixels at which the model works, as an extent. */
export function modelExtent(model: TokenizerModel): { readonly width: number; readonly height: number } {
  const [rows, columns] = model.quantiser.finest;
  const pixelsPerCell = model.card.config.tokenizer.downsample;
  return { width: columns * pixelsPerCell, height: rows * pixelsPerCell };
}
