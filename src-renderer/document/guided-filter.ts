import type { Extent, Rect } from '#base/geometry.js';
import { luma } from '#base/luma.js';
import type { Pixels } from './similar.js';

/** Differences of brightness (0..1) whose square is smaller are no edges. */
const EPSILON = 1e-3;
/** So little of a pixel, or so little less than all of it, is nothing or all. */
const SLACK = 0.3;

/** A part of a picture with its mask, 0..255 of each pixel. */
export interface Edged {
  readonly picture: Pixels;
  readonly values: Uint8Array;
}

/**
 * A mask whose edges follow those of the picture: in every window of this radius it is a linear function of the
 * brightness (He, Sun and Tang: Guided Image Filtering, 2013). Farther than twice the radius from an edge of the mask
 * nothing changes. Both are looked at `step` times smaller, and the function is applied to every pixel (He and Sun: Fast
 * Guided Filter, 2015).
 */
export function refinedEdges({ picture, values }: Edged, radius: number, step = 1): Uint8Array {
  const bright = brightness(picture);
  const small = { width: Math.ceil(picture.width / step), height: Math.ceil(picture.height / step) };
  const place = (i: number): number =>
    Math.min(picture.height - 1, Math.floor(i / small.width) * step) * picture.width +
    Math.min(picture.width - 1, (i % small.width) * step);
  const count = small.width * small.height;
  const guide = Float32Array.from({ length: count }, (_, i) => bright[place(i)]!);
  const mask = Float32Array.from({ length: count }, (_, i) => values[place(i)]! / 255);
  const { slope, offset } = coefficients(mask, guide, { extent: small, radius: Math.max(1, Math.round(radius / step)) });
  return Uint8Array.from(bright, (value, i) => {
    const [x, y] = [(i % picture.width) / step, Math.floor(i / picture.width) / step];
    const share = between(slope, small, { x, y }) * value + between(offset, small, { x, y });
    return Math.round(255 * Math.min(1, Math.max(0, (share - SLACK) / (1 - 2 * SLACK))));
  });
}

function brightness({ data }: Pixels): Float32Array {
  return Float32Array.from({ length: data.length / 4 }, (_, i) => luma(data[i * 4]!, data[i * 4 + 1]!, data[i * 4 + 2]!) / 255);
}

interface Window {
  readonly extent: Extent;
  readonly radius: number;
}

function coefficients(mask: Float32Array, guide: Float32Array, { extent, radius }: Window) {
  const mean = (plane: Float32Array): Float32Array => boxMean(plane, extent, radius);
  const [meanGuide, meanMask] = [mean(guide), mean(mask)];
  const square = mean(guide.map((value) => value * value));
  const both = mean(guide.map((value, i) => value * mask[i]!));
  const slope = square.map((value, i) => (both[i]! - meanGuide[i]! * meanMask[i]!) / (value - meanGuide[i]! ** 2 + EPSILON));
  const offset = meanMask.map((value, i) => value - slope[i]! * meanGuide[i]!);
  return { slope: mean(slope), offset: mean(offset) };
}

/** The mean of every square window, smaller at the borders; rows and columns by running sums. */
export function boxMean(plane: Float32Array, { width, height }: Extent, radius: number): Float32Array {
  const rows = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) slide(plane, rows, { start: y * width, step: 1, count: width, radius });
  const result = new Float32Array(plane.length);
  for (let x = 0; x < width; x++) slide(rows, result, { start: x, step: width, count: height, radius });
  return result;
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
  readonly radius: number;
}

function slide(from: Float32Array, to: Float32Array, { start, step, count, radius }: Line): void {
  let sum = 0;
  for (let i = 0; i < Math.min(radius, count); i++) sum += from[start + i * step]!;
  for (let i = 0; i < count; i++) {
    if (i + radius < count) sum += from[start + (i + radius) * step]!;
    if (i - radius - 1 >= 0) sum -= from[start + (i - radius - 1) * step]!;
    to[start + i * step] = sum / (Math.min(count - 1, i + radius) - Math.max(0, i - radius) + 1);
  }
}

/** Bilinear. */
function between(plane: Float32Array, { width, height }: Extent, { x, y }: { readonly x: number; readonly y: number }): number {
  const [left, top] = [Math.min(width - 1, Math.floor(x)), Math.min(height - 1, Math.floor(y))];
  const [right, bottom] = [Math.min(width - 1, left + 1), Math.min(height - 1, top + 1)];
  const [across, down] = [Math.min(1, x - left), Math.min(1, y - top)];
  const upper = plane[top * width + left]! * (1 - across) + plane[top * width + right]! * across;
  const lower = plane[bottom * width + left]! * (1 - across) + plane[bottom * width + right]! * across;
  return upper * (1 - down) + lower * down;
}

/** The part of a picture in which edges can move. */
export function edgeRegion(bounds: Rect, { width, height }: Extent, radius: number): Rect {
  const reach = 2 * radius + 1;
  const [x, y] = [Math.max(0, bounds.x - reach), Math.max(0, bounds.y - reach)];
  return {
    x,
    y,
    width: Math.min(width, bounds.x + bounds.width + reach) - x,
    height: Math.min(height, bounds.y + bounds.height + reach) - y,
  };
}
