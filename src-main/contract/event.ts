import type { Extent, Grid, Rect } from '#base/geometry.js';
import type { Ending } from './ending.js';
import type { PictureId, Preset, TokenFile } from './request.js';

/** What will happen, known before the first step. */
export interface RunPlan {
  readonly pack: string;
  readonly preset: Preset;
  readonly provider: string;
  readonly schedule: readonly Grid[];
  /** Where in the result the model works, in result pixels; first, where it works on several parts. */
  readonly crop: Rect;
  /** All of them in turn, where parts of the mask lie apart; absent = one. */
  readonly regions?: readonly Rect[];
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
    | 'image.smaller-page'
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
    | 'mask.incomplete'
    | 'mask.resized'
    | 'mask.labels'
    | 'mask.cleaned'
    | 'mask.erased'
    | 'mask.edge'
    | 'map.incomplete'
    | 'map.stretched'
    | 'map.fitted'
    | 'edit.unchanged'
    | 'edit.only-answer'
    | 'project.recovered'
    | 'queue.put-away'
    | 'queue.recovered'
    | 'recipe.ignored'
    | 'recipe.restored'
    | 'recipe.other-pack'
    | 'recipe.other-weights'
    | 'steps.dependent'
    | 'steps.stale'
    | 'previews.off'
    | 'detail.memory'
    | 'detail.no-source'
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

/** How the detail scales went. */
export interface DetailReport {
  /** How far the model's picture led them, 0..3. */
  readonly lead: number;
  readonly ledBy: 'model' | 'photograph';
  /** The last one that ran, and how many there are; equal unless the run was stopped or memory was short. */
  readonly scale: number;
  readonly of: number;
  /** Seed of each scale that ran: what `detailSeeds` asks for. */
  readonly seeds: readonly number[];
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
  /** Any other seed gives the very same picture: the wish was one of colours alone. */
  readonly onlyAnswer?: true;
  /** Absent where nothing was written with the photograph's own pixels. */
  readonly detail?: DetailReport;
  /** What came up after the start. */
  readonly notices?: readonly Notice[];
}

/** One of several parts of the picture that are worked on in turn. */
export interface PartPlace {
  /** 1-based. */
  readonly index: number;
  readonly of: number;
  /** What the model sees of the result, in result pixels. */
  readonly crop: Rect;
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
      /** Absent where the model works on one part alone. */
      readonly part?: PartPlace;
    }
  | {
      readonly type: 'preview';
      readonly candidate: number;
      readonly scale: number;
      readonly of: number;
      readonly picture: P;
      readonly ms: number;
      readonly part?: PartPlace;
    }
  | {
      /** A scale behind the model's last. */
      readonly type: 'detail';
      readonly candidate: number;
      /** 1-based; the last one has the photograph's own resolution. */
      readonly scale: number;
      readonly of: number;
      /** Of `region`, in pixels of this scale. */
      readonly size: Extent;
      /** What was worked on, in result pixels. */
      readonly region: Rect;
      readonly part?: PartPlace;
      readonly ms: number;
      /** `region` as it looks so far, at most 768 pixels wide or high; only where previews are asked for. */
      readonly picture?: P;
    }
  | { readonly type: 'candidate'; readonly candidate: Candidate<P> }
  | { readonly type: 'done'; readonly timingsMs: Timings; readonly peakRssBytes: number; readonly size: Extent; readonly provider: string }
  | Ending;

export type EditEvent = EditEventOf<PictureId>;
