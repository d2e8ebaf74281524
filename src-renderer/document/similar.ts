import type { Extent } from '#base/geometry.js';
import type { Point } from '#contract/mask.js';

/** Coloured samples, four bytes a pixel. */
export interface Pixels extends Extent {
  readonly data: Uint8ClampedArray;
}

/**
 * The connected pixels around `at` whose red, green and blue each differ by no more than `tolerance` (0..255) from those
 * at `at`, as a mask with the single pixels that it encloses. Nothing where `at` lies outside.
 */
export function similarPixels({ width, height, data }: Pixels, at: Point, tolerance: number): Uint8Array {
  const mask = new Uint8Array(width * height);
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  if (x < 0 || y < 0 || x >= width || y >= height) return mask;
  const seed = (y * width + x) * 4;
  const near = (pixel: number): boolean => {
    for (let c = 0; c < 3; c++) if (Math.abs(data[pixel * 4 + c]! - data[seed + c]!) > tolerance) return false;
    return true;
  };
  const wanted = (pixel: number): boolean => mask[pixel] === 0 && near(pixel);
  const stack = [y * width + x];
  for (let from = stack.pop(); from !== undefined; from = stack.pop()) {
    if (!wanted(from)) continue;
    const row = from - (from % width);
    let [left, right] = [from, from];
    while (left > row && wanted(left - 1)) left--;
    while (right < row + width - 1 && wanted(right + 1)) right++;
    mask.fill(255, left, right + 1);
    for (const next of [-width, width]) pushSpans({ from: left + next, to: right + next, wanted, stack });
  }
  closeSpecks(mask, { width, height });
  return mask;
}

/** Noise leaves holes of one pixel. */
function closeSpecks(mask: Uint8Array, { width, height }: Extent): void {
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      if (mask[i - 1]! && mask[i + 1]! && mask[i - width]! && mask[i + width]!) mask[i] = 255;
    }
  }
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly wanted: (pixel: number) => boolean;
  readonly stack: number[];
}

/** The first pixel of every wanted piece of a row. Beyond the picture no pixel differs by a number, so none is wanted. */
function pushSpans({ from, to, wanted, stack }: Span): void {
  if (from < 0) return;
  let inside = false;
  for (let pixel = from; pixel <= to; pixel++) {
    const is = wanted(pixel);
    if (is && !inside) stack.push(pixel);
    inside = is;
  }
}
