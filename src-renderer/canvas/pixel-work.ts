import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { MaskHistory, MaskStep, Point } from '#contract/mask.js';
import { rasterise, runsOf, type PaintedRuns } from '#document/mask.js';
import { stepResult, type MaskState, type StepResult } from '#document/mask-pixels.js';
import { edgeRegion, refinedEdges } from '#document/guided-filter.js';
import { similarPixels } from '#document/similar.js';
import { encodeGreyPng, type MaskRows } from './mask-png.js';

/** From here on a picture gets smaller copies of itself to be looked at from afar. */
const LARGE_PIXELS = 4_000_000;
/** The last copy has at most so many: what stays of a picture that nobody looks at, enough to see all of it in a window. */
export const SMALL_PIXELS = 800_000;

/** A picture with its halves, quarters and so on, the largest first. */
export interface Decoded {
  readonly bitmap: ImageBitmap;
  readonly smaller: readonly ImageBitmap[];
}

/** Work on millions of pixels, which would hold the window up. */
export interface PixelWork {
  decode: { in: Blob; out: Decoded };
  /** The rows are used up. */
  encodeMask: { in: MaskRows; out: Blob };
  /** White where a mask paints; no picture where it paints nothing. */
  paintMask: { in: { readonly history: MaskHistory; readonly extent: Extent }; out: { readonly png: Blob | undefined } };
  /** Of a gray picture, as a service makes it of a mask. */
  readMask: { in: Blob; out: PaintedRuns };
  /** The bitmap is used up. */
  similar: { in: { readonly bitmap: ImageBitmap; readonly at: Point; readonly tolerance: number }; out: PaintedRuns };
  /** The bitmap and the values are used up. */
  refine: {
    in: { readonly bitmap: ImageBitmap; readonly values: Uint8Array<ArrayBuffer>; readonly extent: Extent; readonly radius: number };
    out: PaintedRuns;
  };
  /** One more step of a mask. The values are used up. */
  step: { in: MaskState & { readonly step: MaskStep }; out: StepResult };
  /** What the steps of a mask paint. */
  paint: { in: { readonly history: MaskHistory; readonly extent: Extent }; out: PaintedRuns };
}

export type PixelTask = keyof PixelWork;

export const PIXEL_WORK: { readonly [T in PixelTask]: (input: PixelWork[T]['in']) => Promise<PixelWork[T]['out']> } = {
  decode: async (file) => {
    const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
    return { bitmap, smaller: halvesOf(bitmap) };
  },
  encodeMask: encodeGreyPng,
  paintMask: async ({ history, extent }) => {
    const values = rasterise(history, extent);
    const bounds = paintedBounds(values, extent);
    if (!bounds) return { png: undefined };
    const rows = values.slice(bounds.y * extent.width, (bounds.y + bounds.height) * extent.width);
    return { png: await encodeGreyPng({ extent, top: bounds.y, rows }) };
  },
  readMask: async (file) => {
    const bitmap = await createImageBitmap(file);
    const { data } = pixelsOf(bitmap);
    bitmap.close();
    const values = new Uint8Array(data.length / 4);
    for (let i = 0; i < values.length; i++) values[i] = data[4 * i]!;
    return runsOf(values);
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  similar: async ({ bitmap, at, tolerance }) => {
    const pixels = pixelsOf(bitmap);
    bitmap.close();
    return runsOf(similarPixels(pixels, at, tolerance));
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  refine: async (input) => {
    const values = refined(input);
    input.bitmap.close();
    return runsOf(values);
  },
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  step: async ({ step, ...state }) => stepResult(state, step),
  // eslint-disable-next-line @typescript-eslint/require-await -- all work answers later
  paint: async ({ history, extent }) => runsOf(rasterise(history, extent)),
};

/** More pixels are looked at in smaller copies. */
const REFINED_AT_ONCE = 2_000_000;

/** The same mask with edges that follow the picture's. */
function refined({ bitmap, values, extent, radius }: PixelWork['refine']['in']): Uint8Array {
  const bounds = paintedBounds(values, extent);
  if (!bounds) return values;
  const region = edgeRegion(bounds, extent, radius);
  const picture = pixelsOf(bitmap, region);
  const rowOf = (y: number): number => (region.y + y) * extent.width + region.x;
  const part = new Uint8Array(sampleCount(region));
  for (let y = 0; y < region.height; y++) part.set(values.subarray(rowOf(y), rowOf(y) + region.width), y * region.width);
  const step = Math.min(Math.max(1, Math.floor(radius / 2)), Math.ceil(Math.sqrt(sampleCount(region) / REFINED_AT_ONCE)));
  const edges = refinedEdges({ picture, values: part }, radius, step);
  const result = values.slice();
  for (let y = 0; y < region.height; y++) result.set(edges.subarray(y * region.width, (y + 1) * region.width), rowOf(y));
  return result;
}

/** Of all of a bitmap, or of a part. */
export function pixelsOf(
  bitmap: ImageBitmap,
  { x, y, width, height }: Rect = { x: 0, y: 0, width: bitmap.width, height: bitmap.height },
): ImageData {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('Expected a canvas to draw on.');
  context.imageSmoothingEnabled = false;
  context.drawImage(bitmap, -x, -y);
  return context.getImageData(0, 0, width, height);
}

function halvesOf(bitmap: ImageBitmap): readonly ImageBitmap[] {
  if (sampleCount(bitmap) < LARGE_PIXELS) return [];
  const halves: ImageBitmap[] = [];
  let last = bitmap;
  while (sampleCount(last) > SMALL_PIXELS) {
    const factor = Math.max(0.5, Math.sqrt(SMALL_PIXELS / sampleCount(last)));
    const half = new OffscreenCanvas(Math.floor(last.width * factor), Math.floor(last.height * factor));
    const context = half.getContext('2d');
    if (!context) break;
    context.imageSmoothingQuality = 'medium';
    context.drawImage(last, 0, 0, half.width, half.height);
    last = half.transferToImageBitmap();
    halves.push(last);
  }
  return halves;
}

/** Bitmaps and samples move between the threads, they are not copied: that would hold the window up. */
export function movedWith(value: unknown): Transferable[] {
  const parts: readonly unknown[] =
    typeof value === 'object' && value !== null && !(value instanceof Blob) ? Object.values(value).flat() : [];
  return parts.flatMap<Transferable>((part) => {
    if (part instanceof ImageBitmap) return [part];
    return part instanceof Uint8Array && part.buffer instanceof ArrayBuffer ? [part.buffer] : [];
  });
}
