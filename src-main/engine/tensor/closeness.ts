import type { Closeness } from '#contract/tokenizer-report.js';
import type { FloatTensor } from './tensor.js';

/** One channel, 0..1, row by row. */
export interface Plane {
  readonly values: Float32Array;
  readonly width: number;
  readonly height: number;
}

/** `[1, 3, H, W]` → its luma (BT.601), as measures of pictures look at them. */
export function lumaOf({ dims: [, , height = 0, width = 0], data }: FloatTensor): Plane {
  const size = height * width;
  const values = Float32Array.from({ length: size }, (_, i) => 0.299 * data[i]! + 0.587 * data[size + i]! + 0.114 * data[2 * size + i]!);
  return { values, width, height };
}

export function closenessOf(before: Plane, after: Plane): Closeness {
  const error = meanOf(before.values.map((value, i) => (value - after.values[i]!) ** 2));
  const [slopes, left] = [slopesOf(before), slopesOf(after)];
  return {
    psnr: Math.min(MOST_DB, -10 * Math.log10(Math.max(error, 1e-12))),
    ssim: ssimOf(before, after),
    gmsd: gmsdOf(halved(before), halved(after)),
    sharpness: Math.sqrt(sumOfSquares(left) / Math.max(sumOfSquares(slopes), 1e-12)),
  };
}

const MOST_DB = 100;
/** The constants of the two papers, for values in 0..1. */
const SSIM_C1 = 0.01 ** 2;
const SSIM_C2 = 0.03 ** 2;
const GMSD_C = 170 / 255 ** 2;
const GAUSS = gauss(1.5, 5);

function ssimOf(before: Plane, after: Plane): number {
  const product = (a: Plane, b: Plane): Plane => ({ ...a, values: a.values.map((value, i) => value * b.values[i]!) });
  const [x, y] = [blurred(before).values, blurred(after).values];
  const [xx, yy, xy] = [
    blurred(product(before, before)).values,
    blurred(product(after, after)).values,
    blurred(product(before, after)).values,
  ];
  return meanOf(
    x.map((mean, i) => {
      const [a, b] = [mean, y[i]!];
      const covariance = xy[i]! - a * b;
      const variances = xx[i]! - a * a + yy[i]! - b * b;
      return ((2 * a * b + SSIM_C1) * (2 * covariance + SSIM_C2)) / ((a * a + b * b + SSIM_C1) * (variances + SSIM_C2));
    }),
  );
}

function gmsdOf(before: Plane, after: Plane): number {
  const [a, b] = [slopesOf(before), slopesOf(after)];
  const alike = a.map((slope, i) => (2 * slope * b[i]! + GMSD_C) / (slope ** 2 + b[i]! ** 2 + GMSD_C));
  const mean = meanOf(alike);
  return Math.sqrt(meanOf(alike.map((value) => (value - mean) ** 2)));
}

/** Length of the gradient by Prewitt's filters, edges repeated. */
function slopesOf(plane: Plane): Float32Array {
  const { width, height } = plane;
  return Float32Array.from({ length: width * height }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let [across, down] = [0, 0];
    for (const step of [-1, 0, 1]) {
      across += valueAt(plane, row + step, column + 1) - valueAt(plane, row + step, column - 1);
      down += valueAt(plane, row + 1, column + step) - valueAt(plane, row - 1, column + step);
    }
    return Math.hypot(across, down) / 3;
  });
}

function valueAt({ values, width, height }: Plane, row: number, column: number): number {
  return values[Math.min(height - 1, Math.max(0, row)) * width + Math.min(width - 1, Math.max(0, column))]!;
}

function halved(plane: Plane): Plane {
  const [width, height] = [Math.floor(plane.width / 2), Math.floor(plane.height / 2)];
  const values = Float32Array.from({ length: width * height }, (_, i) => {
    const [row, column] = [2 * Math.floor(i / width), 2 * (i % width)];
    return [0, 1].reduce((sum, down) => sum + valueAt(plane, row + down, column) + valueAt(plane, row + down, column + 1), 0) / 4;
  });
  return { values, width, height };
}

function blurred(plane: Plane): Plane {
  const radius = (GAUSS.length - 1) / 2;
  const along = (from: Plane, isDown: boolean): Plane => ({
    ...from,
    values: from.values.map((_, i) => {
      const [row, column] = [Math.floor(i / from.width), i % from.width];
      return GAUSS.reduce((sum, weight, tap) => {
        const offset = tap - radius;
        return sum + weight * (isDown ? valueAt(from, row + offset, column) : valueAt(from, row, column + offset));
      }, 0);
    }),
  });
  return along(along(plane, false), true);
}

function gauss(sigma: number, radius: number): readonly number[] {
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma ** 2)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

function meanOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function sumOfSquares(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value ** 2, 0);
}
