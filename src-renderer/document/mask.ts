import type { Extent } from '#base/geometry.js';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** One pull of the brush, in picture pixels. */
export interface Stroke {
  readonly points: readonly Point[];
  readonly radiusPx: number;
  readonly erase: boolean;
}

export type MaskStep = { readonly kind: 'stroke'; readonly stroke: Stroke } | { readonly kind: 'invert' } | { readonly kind: 'clear' };

/** How a mask came about; its pixels follow from it at any size, and undoing is leaving out the end. */
export interface MaskHistory {
  readonly steps: readonly MaskStep[];
  /** Steps that count; those behind it can be redone. */
  readonly length: number;
}

export const EMPTY_MASK: MaskHistory = { steps: [], length: 0 };

export function withStep(history: MaskHistory, step: MaskStep): MaskHistory {
  const steps = [...history.steps.slice(0, history.length), step];
  return { steps, length: steps.length };
}

export function undone(history: MaskHistory): MaskHistory {
  return { ...history, length: Math.max(0, history.length - 1) };
}

export function redone(history: MaskHistory): MaskHistory {
  return { ...history, length: Math.min(history.steps.length, history.length + 1) };
}

/** 255 where the picture is to be repainted. */
export function rasterise(history: MaskHistory, extent: Extent): Uint8Array {
  const mask = new Uint8Array(extent.width * extent.height);
  for (const step of history.steps.slice(0, history.length)) applyStep(mask, extent, step);
  return mask;
}

/** Applies one more step to pixels that hold all steps before it. */
export function applyStep(mask: Uint8Array, extent: Extent, step: MaskStep): void {
  if (step.kind === 'clear') mask.fill(0);
  else if (step.kind === 'invert') for (let i = 0; i < mask.length; i++) mask[i] = 255 - mask[i]!;
  else paintStroke(mask, extent, step.stroke);
}

function paintStroke(mask: Uint8Array, extent: Extent, stroke: Stroke): void {
  stroke.points.forEach((point, i) => {
    paintSegment(mask, extent, { from: stroke.points[i - 1] ?? point, to: point, stroke });
  });
}

interface Segment {
  readonly from: Point;
  readonly to: Point;
  readonly stroke: Pick<Stroke, 'radiusPx' | 'erase'>;
}

/** Every pixel whose centre lies within the radius of the segment. */
export function paintSegment(mask: Uint8Array, { width, height }: Extent, { from, to, stroke }: Segment): void {
  const { radiusPx } = stroke;
  const value = stroke.erase ? 0 : 255;
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radiusPx));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + radiusPx));
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - radiusPx));
  const right = Math.min(width - 1, Math.ceil(Math.max(from.x, to.x) + radiusPx));
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      if (squaredDistance({ x: x + 0.5, y: y + 0.5 }, from, to) <= radiusPx * radiusPx) mask[y * width + x] = value;
    }
  }
}

function squaredDistance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((point.x - from.x) * dx + (point.y - from.y) * dy) / length));
  return (point.x - from.x - along * dx) ** 2 + (point.y - from.y - along * dy) ** 2;
}

export function isEmpty(mask: Uint8Array): boolean {
  return !mask.some((value) => value > 0);
}
