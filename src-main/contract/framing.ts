import * as v from 'valibot';
import type { Extent, Rect } from '#base/geometry.js';

const side = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff));
const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff));

/** Of one photograph, step by step. */
export const MOST_FRAMINGS = 100;

/** How a picture is turned, straightened and cut, in this order. Nothing is resampled where `straighten` is 0. */
export const Framing = v.object({
  /** Left and right change places, before it is turned. */
  mirrored: v.optional(v.boolean(), false),
  /** Quarter turns, clockwise. */
  turns: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3)), 0),
  /** Degrees clockwise around its middle. */
  straighten: v.optional(v.pipe(v.number(), v.minValue(-45), v.maxValue(45)), 0),
  /** What stays, in pixels of the turned picture; absent = all of it. */
  crop: v.optional(v.object({ x: place, y: place, width: side, height: side })),
});
export type Framing = v.InferOutput<typeof Framing>;
export type FramingInput = v.InferInput<typeof Framing>;

export const NO_FRAMING: Framing = { mirrored: false, turns: 0, straighten: 0 };

/** The picture as it is turned, before it is cut. */
export function turnedExtent({ width, height }: Extent, { turns }: Pick<Framing, 'turns'>): Extent {
  return turns % 2 === 0 ? { width, height } : { width: height, height: width };
}

export function cropOf(framing: Framing, extent: Extent): Rect {
  return framing.crop ?? { x: 0, y: 0, ...turnedExtent(extent, framing) };
}

/** `x' = a·x + c·y + e`, `y' = b·x + d·y + f`, in continuous pixels. */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** From the picture to what is left of it. */
export function affineOf(framing: Framing, extent: Extent): Affine {
  const { width, height } = extent;
  const mirror: Affine = framing.mirrored ? [-1, 0, 0, 1, width, 0] : [1, 0, 0, 1, 0, 0];
  const quarters: readonly Affine[] = [
    [1, 0, 0, 1, 0, 0],
    [0, 1, -1, 0, height, 0],
    [-1, 0, 0, -1, width, height],
    [0, -1, 1, 0, 0, width],
  ];
  const turned = turnedExtent(extent, framing);
  const { x, y } = cropOf(framing, extent);
  const [cos, sin] = [Math.cos((framing.straighten * Math.PI) / 180), Math.sin((framing.straighten * Math.PI) / 180)];
  const [across, down] = [turned.width / 2, turned.height / 2];
  const level: Affine = [cos, sin, -sin, cos, across - cos * across + sin * down - x, down - sin * across - cos * down - y];
  return after(level, after(quarters[framing.turns] ?? mirror, mirror));
}

/** First the second, then the first. */
export function after([a, b, c, d, e, f]: Affine, [g, h, i, j, k, l]: Affine): Affine {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

export function inverseOf([a, b, c, d, e, f]: Affine): Affine {
  const det = a * d - b * c;
  return [d / det, -b / det, -c / det, a / det, (c * f - d * e) / det, (b * e - a * f) / det];
}

/** The largest part of its own shape that a straightened picture fills, in the middle. */
export function levelCrop(extent: Extent, framing: Pick<Framing, 'turns' | 'straighten'>): Rect {
  const { width, height } = turnedExtent(extent, framing);
  const [cos, sin] = [Math.cos((framing.straighten * Math.PI) / 180), Math.abs(Math.sin((framing.straighten * Math.PI) / 180))];
  const share = 1 / Math.max(cos + (height / width) * sin, cos + (width / height) * sin);
  const size = { width: Math.max(1, Math.floor(width * share)), height: Math.max(1, Math.floor(height * share)) };
  return { x: Math.floor((width - size.width) / 2), y: Math.floor((height - size.height) / 2), ...size };
}
