import type { Extent, Rect } from '#base/geometry.js';
import { levelCrop, turnedExtent, type Framing } from '#contract/framing.js';
import type { Point } from '#contract/mask.js';

/** Which sides a handle pulls: -1 = left or top, 1 = right or bottom. */
export interface Handle {
  readonly x: -1 | 0 | 1;
  readonly y: -1 | 0 | 1;
}

/** Corners first: where they meet a side, the corner is meant. */
export const HANDLES: readonly Handle[] = [
  ...([-1, 1] as const).flatMap((x) => ([-1, 1] as const).map((y) => ({ x, y }))),
  { x: -1, y: 0 },
  { x: 1, y: 0 },
  { x: 0, y: -1 },
  { x: 0, y: 1 },
];

/** Shapes to cut to; 0 = any. */
export const SHAPES = ['1:1', '5:4', '4:3', '3:2', '16:9', '4:5', '3:4', '2:3', '9:16'] as const;

export function shapeOf(name: string, turned: Extent): number {
  if (name === 'original') return turned.width / turned.height;
  const [width = 0, height = 1] = name.split(':').map(Number);
  return Number.isFinite(width / height) ? width / height : 0;
}

const LEAST = 16;

/** A part pulled at a handle by so much; with a shape (width / height), it keeps that. */
export function pulled(crop: Rect, handle: Handle, { by, shape }: { readonly by: Point; readonly shape: number }): Rect {
  let width = Math.max(LEAST, crop.width + handle.x * by.x);
  let height = Math.max(LEAST, crop.height + handle.y * by.y);
  if (shape > 0) {
    if (handle.x === 0) width = height * shape;
    else if (handle.y === 0) height = width / shape;
    else if (width / height > shape) height = width / shape;
    else width = height * shape;
  }
  // The other side, or the middle where only one pair of sides is pulled, stays.
  const x = handle.x < 0 ? crop.x + crop.width - width : handle.x > 0 ? crop.x : crop.x + (crop.width - width) / 2;
  const y = handle.y < 0 ? crop.y + crop.height - height : handle.y > 0 ? crop.y : crop.y + (crop.height - height) / 2;
  return { x, y, width, height };
}

export function moved(crop: Rect, by: Point): Rect {
  return { ...crop, x: crop.x + by.x, y: crop.y + by.y };
}

/** The largest part of a shape in the middle of another. */
export function shaped(crop: Rect, shape: number): Rect {
  if (shape <= 0) return crop;
  const width = Math.min(crop.width, crop.height * shape);
  const height = width / shape;
  return { x: crop.x + (crop.width - width) / 2, y: crop.y + (crop.height - height) / 2, width, height };
}

/** In whole pixels, and where the straightened picture is: smaller around its own middle where it reached beyond. */
export function insideOf(crop: Rect, framing: Pick<Framing, 'turns' | 'straighten'>, extent: Extent): Rect {
  const turned = turnedExtent(extent, framing);
  const size = { width: Math.min(crop.width, turned.width), height: Math.min(crop.height, turned.height) };
  const within = (at: number, length: number, all: number): number => Math.min(all - length, Math.max(0, at));
  let box = { x: within(crop.x, size.width, turned.width), y: within(crop.y, size.height, turned.height), ...size };
  if (!isInside(box, framing.straighten, turned)) box = shrunk(box, framing, extent);
  const [x, y] = [Math.max(0, Math.ceil(box.x - 1e-6)), Math.max(0, Math.ceil(box.y - 1e-6))];
  return {
    x,
    y,
    width: Math.max(1, Math.floor(box.x + box.width + 1e-6) - x),
    height: Math.max(1, Math.floor(box.y + box.height + 1e-6) - y),
  };
}

function shrunk(box: Rect, framing: Pick<Framing, 'turns' | 'straighten'>, extent: Extent): Rect {
  const turned = turnedExtent(extent, framing);
  let [small, large] = [0, 1];
  for (let i = 0; i < 20; i++) {
    const share = (small + large) / 2;
    if (isInside(scaled(box, share), framing.straighten, turned)) small = share;
    else large = share;
  }
  // Its middle may itself be beyond the picture.
  return small > 0 ? scaled(box, small) : shaped(levelCrop(extent, framing), box.width / box.height);
}

function scaled({ x, y, width, height }: Rect, share: number): Rect {
  return { x: x + (width * (1 - share)) / 2, y: y + (height * (1 - share)) / 2, width: width * share, height: height * share };
}

function isInside({ x, y, width, height }: Rect, degrees: number, turned: Extent): boolean {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const [across, down] = [turned.width / 2, turned.height / 2];
  const corners = [x, x + width].flatMap((u) => [y, y + height].map((w) => [u - across, w - down] as const));
  return corners.every(([u, w]) => Math.abs(cos * u + sin * w) <= across + 1e-6 && Math.abs(cos * w - sin * u) <= down + 1e-6);
}
