import type { Extent, Grid, Rect } from '#base/geometry.js';
import type { ErrorData } from './errors.js';
import type { PictureId, Preset, TokenFile } from './request.js';

/** What will happen, known before the first step. */
export interface RunPlan {
  readonly pack: string;
  readonly preset: Preset;
  readonly provider: string;
  readonly schedule: readonly Grid[];
  /** Where in the result the model works, in result pixels. */
  readonly crop: Rect;
  readonly size: Extent;
  readonly estimateMs: number;
  readonly estimateBytes: number;
  /** Things the user should know: a cut instruction, a 16-bit source, an unknown word. */
  readonly notices: readonly Notice[];
}

export interface Notice {
  readonly code:
    | 'instruction.cut'
    | 'instruction.unknown-words'
    | 'image.deep'
    | 'image.animated'
    | 'image.damaged'
    | 'image.cmyk'
    | 'image.lab'
    | 'image.gray'
    | 'image.floats'
    | 'image.channels'
    | 'image.profile'
    | 'image.hdr'
    | 'image.metadata'
    | 'image.gain-map'
    | 'image.attached'
    | 'output.alpha'
    | 'output.depth'
    | 'output.channels'
    | 'output.metadata'
    | 'mask.resized'
    | 'project.recovered'
    | 'recipe.ignored'
    | 'recipe.restored'
    | 'recipe.other-pack'
    | 'recipe.other-weights'
    | 'steps.dependent'
    | 'steps.stale'
    | 'previews.off'
    | 'preset.experimental';
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Milliseconds spent, per phase; lists have one entry per scale. */
export interface Timings {
  readonly load: number;
  readonly text: number;
  readonly source: number;
  readonly scales: readonly number[];
  readonly previews: readonly number[];
  readonly decode: number;
  readonly composite: number;
  readonly total: number;
}

/** `P` is how a picture travels: a PictureId outside, encoded bytes inside the engine. */
export interface Candidate<P> {
  readonly index: number;
  readonly picture: P;
  /** White where pixels may differ from the source; absent for a generated picture. */
  readonly changedMask?: P;
  readonly tokens: TokenFile;
  readonly seed: number;
  readonly changedPixels: number;
  /** Differing pixels beyond mask + blend; always 0 for a masked edit. */
  readonly changedOutsideMask: number;
}

export type EditEventOf<P> =
  | { readonly type: 'started'; readonly plan: RunPlan }
  | {
      readonly type: 'scale';
      readonly candidate: number;
      readonly scale: number;
      readonly of: number;
      readonly tokens: number;
      readonly ms: number;
    }
  | {
      readonly type: 'preview';
      readonly candidate: number;
      readonly scale: number;
      readonly of: number;
      readonly picture: P;
      readonly ms: number;
    }
  | { readonly type: 'candidate'; readonly candidate: Candidate<P> }
  | { readonly type: 'done'; readonly timingsMs: Timings; readonly peakRssBytes: number; readonly size: Extent; readonly provider: string }
  | { readonly type: 'failed'; readonly error: ErrorData }
  | { readonly type: 'cancelled' };

export type EditEvent = EditEventOf<PictureId>;
