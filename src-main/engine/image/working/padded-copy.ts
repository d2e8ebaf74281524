import { sampleCount, type Extent } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { colourSpaceOf, type Planes } from '#engine/image/colour/colour.js';
import type { Photo } from '#engine/image/files/photo.js';
import { mixAlong, mixRows, resampleTaps, type Taps } from '#engine/image/sampling/resample.js';
import { rowReader } from './working-copy.js';

const WHITE = 1;
const STEPS = 255;

/**
 * A photo as VAREdit's published code shows it to its model: in the upper left corner of a white square, which is resized by
 * Lanczos, rounded to 8 bits after columns and after rows. `[1, 3, H, W]` in 0..1 sRGB.
 */
export async function paddedCopy(photo: Photo, size: Extent): Promise<FloatTensor> {
  const { width, height } = photo.extent;
  const side = Math.max(width, height);
  const [columns, rows] = [tapsOf(side, size.width), tapsOf(side, size.height)];
  const narrowed = [0, 1, 2].map(() => new Float32Array(size.width * side).fill(WHITE));
  const read = rowReader(
    photo,
    Int32Array.from({ length: width }, (_, x) => x),
  );
  const line = narrowed.map(() => new Float32Array(side).fill(WHITE));
  const colours = photo.channels <= 2 ? 1 : 3;
  for (let y = 0; y < height; y++) {
    read(
      y,
      line.slice(0, colours).map((plane) => plane.subarray(0, width)),
    );
    narrowed.forEach((plane, c) => {
      mixAlong(line[c % colours]!, columns, plane.subarray(y * size.width, (y + 1) * size.width));
    });
  }
  const copy = floats([1, 3, size.height, size.width]);
  const planes = narrowed.map((plane, c) => shrunk(plane, { rows, size, target: planeOf(copy, c, size) })) as unknown as Planes;
  (await colourSpaceOf(photo)).toSrgb(planes);
  return copy;
}

function planeOf({ data }: FloatTensor, channel: number, size: Extent): Float32Array {
  return data.subarray(channel * sampleCount(size), (channel + 1) * sampleCount(size));
}

function tapsOf(inputs: number, outputs: number): Taps {
  return resampleTaps({ from: 0, span: inputs, outputs, inputs, kernel: 'lanczos', border: 'drop' });
}

function shrunk(plane: Float32Array, { rows, size, target }: { rows: Taps; size: Extent; target: Float32Array }): Float32Array {
  const rounded = plane.map(toEightBits);
  for (let y = 0; y < size.height; y++) mixRows(rounded, { ...rows, out: y }, target.subarray(y * size.width, (y + 1) * size.width));
  target.forEach((value, i) => (target[i] = toEightBits(value)));
  return target;
}

function toEightBits(value: number): number {
  return Math.min(STEPS, Math.max(0, Math.round(value * STEPS))) / STEPS;
}
