import { NEVER_CANCELLED, type Cancellation } from '#base/cancellation.js';
import type { Extent, Rect } from '#base/geometry.js';
import { detailScales, type Detail, type DetailJob, type DetailScale } from '#engine/detail/detail.js';
import { DetailWorkers } from '#engine/detail/workers.js';
import { compositeEdit } from '#engine/image/compositing/composite.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { floats } from '#engine/tensor/tensor.js';

/** A ground with something to copy everywhere: stripes, a slope of light and noise without a state. */
export function texturedPhoto(
  extent: Extent,
  { channels = 3, deep = false }: { channels?: Photo['channels']; deep?: boolean } = {},
): Photo {
  const length = extent.width * extent.height * channels;
  const samples = deep ? new Uint16Array(length) : new Uint8Array(length);
  const full = deep ? 65535 : 255;
  for (let i = 0; i < length; i++) {
    const [c, pixel] = [i % channels, Math.trunc(i / channels)];
    const [x, y] = [pixel % extent.width, Math.trunc(pixel / extent.width)];
    const isAlpha = channels % 2 === 0 && c === channels - 1;
    const noise = ((Math.imul(pixel, 2654435761) ^ (pixel << 7)) >>> 24) / 255;
    const value = 0.3 + 0.15 * Math.sin(x / 3 + c) + 0.1 * Math.sin(y / 5) + (0.2 * x) / extent.width + 0.1 * noise;
    samples[i] = isAlpha ? full : Math.round(full * value);
  }
  return { extent, channels, samples, format: 'png', notices: [] };
}

export function maskOf(extent: Extent, inside: (x: number, y: number) => boolean): Mask {
  const values = new Uint8Array(extent.width * extent.height);
  for (let i = 0; i < values.length; i++) values[i] = inside(i % extent.width, Math.trunc(i / extent.width)) ? 255 : 0;
  return { extent, values };
}

export function rectangle({ x, y, width, height }: Rect): (px: number, py: number) => boolean {
  return (px, py) => px >= x && py >= y && px < x + width && py < y + height;
}

export type Wish = Partial<Omit<DetailJob, 'workers'>> &
  Pick<DetailJob, 'photo' | 'weight'> & { readonly workers?: DetailWorkers | number };

export async function runDetail(
  wish: Wish,
  signal: Cancellation = NEVER_CANCELLED,
): Promise<{ detail: Detail | undefined; scales: DetailScale[]; pictures: Float32Array[] }> {
  const { workers = 2 } = wish;
  const own = typeof workers === 'number' ? new DetailWorkers(workers) : workers;
  const run = detailScales({ shown: 3, seeds: [7], ...wish, workers: own }, signal);
  const scales: DetailScale[] = [];
  const pictures: Float32Array[] = [];
  try {
    for (;;) {
      const step = await run.next();
      if (step.done) return { detail: step.value, scales, pictures };
      scales.push(step.value);
      pictures.push(step.value.picture(500).data);
    }
  } finally {
    if (own !== workers) await own.close();
  }
}

/** The model's part of a picture in which it matters: a colour that no photograph here has. */
const MODEL = floats([1, 3, 8, 8], new Float32Array(192).fill(1));

/** The photo with its hole filled; what no detail reached is white. */
export async function filled(wish: Wish): Promise<Photo['samples']> {
  const { detail } = await runDetail(wish);
  const frame = { x: 0, y: 0, ...wish.photo.extent };
  const job = {
    photo: wish.photo,
    frame,
    before: MODEL,
    after: MODEL,
    weight: wish.weight,
    mode: 'decoded' as const,
    matchSurroundings: false,
  };
  return (await compositeEdit({ ...job, ...(detail && { detail: detail.rows }) })).photo.samples;
}
