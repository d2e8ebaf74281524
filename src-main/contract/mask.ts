import * as v from 'valibot';

const coordinate = v.pipe(v.number(), v.finite());

/** In picture pixels; `pressure` of a pen is 0..1 and scales the brush. */
export const Point = v.object({
  x: coordinate,
  y: coordinate,
  pressure: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
});
export type Point = Readonly<v.InferOutput<typeof Point>>;

const Points = v.pipe(v.array(Point), v.readonly());

/** One pull of the brush, in picture pixels. Hardness is the share of the radius that is painted in full; absent = all of it. */
export const Stroke = v.object({
  points: Points,
  radiusPx: v.pipe(coordinate, v.minValue(0)),
  erase: v.boolean(),
  hardness: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
});
export type Stroke = Readonly<v.InferOutput<typeof Stroke>>;
export type BrushTip = Omit<Stroke, 'points'>;

/** A closed outline, in picture pixels: a lasso, a polygon, a rectangle, an ellipse. */
export const Area = v.object({ points: Points, erase: v.boolean() });
export type Area = Readonly<v.InferOutput<typeof Area>>;

/** Pixels in reading order, as lengths by turns: unselected first, then selected. */
export const Runs = v.object({
  lengths: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.readonly()),
  /** How far each selected length is selected, 0..255; absent = all in full. */
  levels: v.optional(v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255))), v.readonly())),
  erase: v.boolean(),
});
export type Runs = Readonly<v.InferOutput<typeof Runs>>;

/** One deed on a mask. The pixels of a mask follow from its steps. */
export const MaskStep = v.variant('kind', [
  v.object({ kind: v.literal('area'), area: Area }),
  v.object({ kind: v.literal('stroke'), stroke: Stroke }),
  v.object({ kind: v.literal('runs'), runs: Runs }),
  /** Only what is painted and lies within these runs stays. */
  v.object({ kind: v.literal('within'), runs: Runs }),
  /** All of it is as these runs say. */
  v.object({ kind: v.literal('set'), runs: Runs }),
  /** Wider by so many pixels on every side; narrower where negative. */
  v.object({ kind: v.literal('grow'), px: v.pipe(v.number(), v.integer(), v.minValue(-512), v.maxValue(512)) }),
  /** With a soft edge of so many pixels outside. */
  v.object({ kind: v.literal('feather'), px: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(512)) }),
  v.object({ kind: v.literal('invert') }),
  v.object({ kind: v.literal('clear') }),
]);
export type MaskStep = Readonly<v.InferOutput<typeof MaskStep>>;

/** How a mask came about; its pixels follow from it, and undoing is leaving out the end. */
export const MaskHistory = v.object({
  steps: v.pipe(v.array(MaskStep), v.readonly()),
  /** Steps that count; those behind it can be redone. */
  length: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type MaskHistory = Readonly<v.InferOutput<typeof MaskHistory>>;

/** What a mask says of the pixels that detail is copied from: not these, or only these. */
export const SOURCE_USES = ['avoid', 'only'] as const;
export type SourceUse = (typeof SOURCE_USES)[number];

/** The sources that a wish was held to. */
export const HeldSources = v.object({ use: v.picklist(SOURCE_USES), history: MaskHistory });
export type HeldSources = Readonly<v.InferOutput<typeof HeldSources>>;

export const NamedMask = v.object({
  name: v.pipe(v.string(), v.maxLength(100)),
  history: MaskHistory,
  /** Absent = it says where to repaint. */
  use: v.optional(v.picklist(SOURCE_USES)),
});
export type NamedMask = Readonly<v.InferOutput<typeof NamedMask>>;

/** The masks of a picture, and which of them is painted on. */
export const MaskList = v.object({
  masks: v.pipe(v.array(NamedMask), v.minLength(1), v.maxLength(200), v.readonly()),
  active: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type MaskList = Readonly<v.InferOutput<typeof MaskList>>;
