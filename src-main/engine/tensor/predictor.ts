import type { Extent, Grid } from '#base/geometry.js';
import type { Pointing } from '#contract/selection.js';
import type { FloatTensor } from './tensor.js';

// l tokens of the scale at hand · n source tokens · D bits per token · P tokenizer cells per token · T text rows · B 2 under guidance, else 1

/** Hidden states of a text encoder `[T, width]`. */
export interface TextFeatures {
  readonly kind: 'features';
  readonly features: FloatTensor;
  /** What an encoder says of the text as a whole, `[1, width]`, for models that are told so. */
  readonly pooled?: FloatTensor;
  /** The same of no words at all, where the row without the instruction reads those and nothing of its own. */
  readonly none?: Omit<TextFeatures, 'kind' | 'none'>;
}

/** What the instruction has become: word ids of the pack's own vocabulary, an encoder's hidden states `[T, width]`, or a class. */
export type TextInput =
  { readonly kind: 'words'; readonly ids: readonly number[] } | TextFeatures | { readonly kind: 'class'; readonly index: number };

/** The picture being edited, on the finest token grid. */
export interface SourceInput {
  /** Continuous encoder features, area-resized to the finest grid and patchified: `[n, D]` (VAREdit: not quantised). */
  readonly tokens: FloatTensor;
  /** Share of each tokenizer cell that is to be repainted, `[n, P]`, 0..1; only for packs with a mask embedding. */
  readonly mask?: FloatTensor;
}

/** ControlAR: features of a control picture, added to the hidden states at three depths. */
export interface ControlInput {
  /** `[1, channels, H, W]` at the model's picture size; channels as the pack card names them. */
  readonly map: FloatTensor;
  readonly strength: number; // 0..1
  /** Scales that are held, 0-based, inclusive. */
  readonly fromScale: number;
  readonly toScale: number;
  /** Also predict without it, for classifier-free guidance by the control; where that is by the instruction, both rows are held. */
  readonly guided?: boolean;
}

/** All that stays the same from the first scale to the last. */
export interface Conditioning {
  readonly text: TextInput;
  /** Also predict without the instruction, for classifier-free guidance. */
  readonly guided: boolean;
  readonly source?: SourceInput;
  readonly control?: ControlInput;
}

/** Tells which of a pack's objects a picture shows. */
export interface ObjectFinder {
  /** Logits of where each kind stands, `[kinds, h, w]`, for a picture `[1, 3, H, W]` at the model's size: above zero = it is there. */
  maps(picture: FloatTensor): Promise<FloatTensor>;
  release(): Promise<void>;
}

/** What one scale sees of the picture so far. */
export interface ScaleInput {
  /** The running sum resized to this scale and patchified, `[l, D]`; absent at scale 0. */
  readonly codes?: FloatTensor;
  /** The tokens of the scale before; absent at scale 0. */
  readonly previous?: Uint8Array | Uint16Array;
  /** Source minus running sum at this scale, patchified, zero inside the mask, `[l, D]`; only for packs with source fusion. */
  readonly residual?: FloatTensor;
  /** The mask at this scale, patchified, `[l, P]`; only for packs with a mask embedding. */
  readonly mask?: FloatTensor;
}

/** What a masked pass sees of a scale that is drawn already. */
export interface MaskedInput extends Pick<ScaleInput, 'codes'> {
  /** This scale's own codes as they will enter the sum, at its resolution: `[l, D]`; those of masked tokens are among them. */
  readonly own: FloatTensor;
  /** 1 = to be drawn anew, `[l]`. */
  readonly masked: Uint8Array;
}

export interface ScalePrediction {
  /** Row 0 with the instruction and control, row 1 without what guides: logit(1) − logit(0) of every bit, `[B, l, D]`, or one per codebook entry, `[B, l, V]`. */
  readonly logits: FloatTensor;
  /** Mean copy-gate logit per token `[l]` (row 0): below zero = "this token is being edited". */
  readonly gate?: FloatTensor;
}

/** One picture in the making. Scales are asked for in order; their K/V rows stay behind for the later ones. */
export interface PredictionRun {
  /**
   * @param scale 0-based, each exactly once and in order.
   * @param layers the transformer layers to run, ascending (VARiant depth subset).
   */
  predict(scale: number, input: ScaleInput, layers: readonly number[]): Promise<ScalePrediction>;
  /**
   * The tokens of the scale predicted last once more, some of them masked (HMAR): row 0 alone, `[1, l, V]`. Absent where a
   * transformer was not trained to; scale 0 has no such pass.
   */
  redraw?(scale: number, input: MaskedInput, layers: readonly number[]): Promise<ScalePrediction>;
  /** Nothing is guided from here on: only row 0 is predicted. */
  endGuidance(): Promise<void>;
  /** Nothing more is asked of it: what it holds of a device is given back. */
  end(): void;
}

/** A next-scale transformer that is ready to run. */
export interface ScalePredictor {
  readonly schedule: readonly Grid[];
  readonly depth: number;
  /** How many of a scale's tokens are drawn anew in each of its masked passes, the least certain ones, per scale; absent = none. */
  readonly maskedPasses?: readonly (readonly number[])[];
  /** @param layers what each scale is going to run: its graphs are opened before the first, and none waits for them. */
  begin(conditioning: Conditioning, layers?: readonly (readonly number[])[]): Promise<PredictionRun>;
  release(): Promise<void>;
}

/** One picture in the making, token by token. */
export interface RasterRun {
  /**
   * @param previous the token before, in raster order; none for the first.
   * @returns the next token's logits, `[B, 1, V]`: row 0 with text and control, row 1 without.
   */
  next(previous: number | undefined): Promise<FloatTensor>;
}

/** A next-token transformer that is ready to run. */
export interface RasterPredictor {
  readonly depth: number;
  beginRaster(conditioning: Conditioning): Promise<RasterRun>;
  release(): Promise<void>;
}

/** The convolutional half of a tokenizer; quantisation is arithmetic and lives in `sampling`. */
export interface PictureCoder {
  /** `[1, 3, H, W]` in 0..1 → continuous features `[1, d, h, w]`. */
  encode(picture: FloatTensor): Promise<FloatTensor>;
  /** Summed codes `[1, d, h, w]`, any h and w → `[1, 3, H, W]` clamped to 0..1. */
  decode(codes: FloatTensor): Promise<FloatTensor>;
  release(): Promise<void>;
}

/** Reads prompts for packs that were trained with a text encoder of their own. */
export interface TextEncoder {
  /** Token ids → hidden states `[T, width]`. */
  encode(ids: readonly number[]): Promise<FloatTensor>;
  release(): Promise<void>;
}

/** Monocular depth: `[1, 3, H, W]` in 0..1 → relative disparity `[1, 1, H, W]`, near = 1. */
export interface DepthEstimator {
  /** The size at which it sees a picture of this shape best. */
  sizeFor(picture: Extent): Extent;
  estimate(picture: FloatTensor): Promise<FloatTensor>;
  release(): Promise<void>;
}

/** Finds what is pointed at in a picture (Segment Anything, Kirillov et al. 2023, or a model like it). */
export interface Segmenter {
  /** The size at which it sees a picture of this shape. */
  sizeFor(picture: Extent): Extent;
  /** `[1, 3, H, W]` in 0..1 at that size → features, which serve every question about the picture. */
  look(picture: FloatTensor): Promise<FloatTensor>;
  /**
   * @param pointing in pixels of what it has seen.
   * @param seen the size of that.
   * @returns logits `[H, W]` of the mask that it thinks best: above zero = inside.
   */
  segment(features: FloatTensor, pointing: Pointing, seen: Extent): Promise<FloatTensor>;
  release(): Promise<void>;
}
