import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { colourSpaceOf, planesOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { fullScale, type Mask, type Photo } from '#engine/image/files/photo.js';
import { mirrored, mixAlong, mixRows, resampleTaps, type Kernel, type Taps } from '#engine/image/sampling/resample.js';

/** What shows through transparent parts. */
const BACKGROUND = 0.5;
/** Above this reduction, whole blocks of pixels are averaged before the fine kernel runs: same picture, a fraction of the time. */
const BLOCKS_FROM = 4;
/** Lanczos looks three output samples far. */
const REACH = 3;

/**
 * The part `frame` of a photo as the model sees it: `[1, 3, H, W]` in 0..1 sRGB.
 * Lanczos where it shrinks, cubic where it grows; beyond the photo lies its mirror image, behind transparency a middle gray.
 */
export async function workingCopy(photo: Photo, frame: Rect, size: Extent): Promise<FloatTensor> {
  const space = await colourSpaceOf(photo);
  const copy = floats([1, 3, size.height, size.width]);
  const planes = planesOf(copy);
  const blocks = averageBlocks(photo, frame, size);
  const colours = photo.channels <= 2 ? 1 : 3;
  for (let c = 0; c < 3; c++) {
    if (c < colours) resampleBlocks(blocks, c, planes[c]!);
    else planes[c]!.set(planes[0]);
  }
  space.toSrgb(planes);
  for (let i = 0; i < copy.data.length; i++) copy.data[i] = Math.min(1, Math.max(0, copy.data[i]!));
  return copy;
}

/** Averages of `stepX`×`stepY` pixels over the frame and a border of it, per colour. */
interface Blocks {
  readonly planes: readonly Float32Array[];
  readonly extent: Extent;
  readonly columns: Taps;
  readonly rows: Taps;
  readonly size: Extent;
}

/** One axis of the block grid: where each pixel comes from, and where each output sample lies. */
function blockAxis({ start: at, length: span, inputs, outputs }: { start: number; length: number; inputs: number; outputs: number }) {
  const scale = span / outputs;
  // A frame of a smaller decode may begin between two pixels.
  const start = Math.floor(at);
  const [before, length] = [at - start, span + at - start];
  const step = scale < BLOCKS_FROM ? 1 : Math.floor(scale / 2);
  const border = Math.ceil((REACH * Math.max(1, scale)) / step) + 1;
  const count = Math.ceil(length / step) + 2 * border;
  const pixels = Int32Array.from({ length: count * step }, (_, i) => mirrored(start - border * step + i, inputs));
  const kernel: Kernel = scale > 1 ? 'lanczos' : 'cubic';
  const taps = resampleTaps({ from: border + before / step, span: span / step, outputs, inputs: count, kernel, border: 'clamp' });
  return { step, count, pixels, taps };
}

function averageBlocks(photo: Photo, frame: Rect, size: Extent): Blocks {
  const across = blockAxis({ start: frame.x, length: frame.width, inputs: photo.extent.width, outputs: size.width });
  const down = blockAxis({ start: frame.y, length: frame.height, inputs: photo.extent.height, outputs: size.height });
  const extent = { width: across.count, height: down.count };
  const planes = Array.from({ length: photo.channels <= 2 ? 1 : 3 }, () => new Float32Array(sampleCount(extent)));
  const add = photo.channels % 2 === 1 ? opaqueBlocks(photo, across) : mixedBlocks(photo, across);
  down.pixels.forEach((row, y) => {
    planes.forEach((plane, c) => {
      add(row, c, plane.subarray(Math.trunc(y / down.step) * extent.width));
    });
  });
  const share = 1 / (across.step * down.step);
  for (const plane of planes) for (let i = 0; i < plane.length; i++) plane[i]! *= share;
  return { planes, extent, columns: across.taps, rows: down.taps, size };
}

/** Reads the given columns of a photo row as `rowReader` does, as sRGB: gray photos have three equal planes. */
export function srgbRowReader(photo: Photo, columns: Int32Array, space: ColourSpace) {
  const read = rowReader(photo, columns);
  return (y: number, planes: Planes) => {
    if (photo.channels > 2) read(y, planes);
    else {
      read(y, [planes[0]]);
      planes[1].set(planes[0]);
      planes[2].set(planes[0]);
    }
    space.toSrgb(planes);
  };
}

/** Reads the given columns of a photo row as planes in 0..1, transparency composited away. */
export function rowReader({ samples, channels, extent }: Photo, columns: Int32Array) {
  const unit = 1 / fullScale(samples);
  const hasAlpha = channels === 2 || channels === 4;
  return (y: number, planes: readonly Float32Array[]) => {
    const start = y * extent.width * channels;
    planes.forEach((plane, c) => {
      for (let x = 0; x < columns.length; x++) {
        const at = start + columns[x]! * channels;
        const value = samples[at + c]! * unit;
        plane[x] = hasAlpha ? BACKGROUND + (value - BACKGROUND) * samples[at + channels - 1]! * unit : value;
      }
    });
  };
}

type AddBlocks = (y: number, channel: number, target: Float32Array) => void;

/** Adds up the blocks of a photo row as they lie in it: this is all that is done with most pixels of a large photograph. */
function opaqueBlocks({ samples, channels, extent }: Photo, { pixels, step }: { pixels: Int32Array; step: number }): AddBlocks {
  const unit = 1 / fullScale(samples);
  return (y, channel, target) => {
    const start = y * extent.width * channels + channel;
    for (let i = 0, block = 0; i < pixels.length; block++) {
      let total = 0;
      for (const end = i + step; i < end; i++) total += Math.fround(samples[start + pixels[i]! * channels]! * unit);
      target[block]! += total;
    }
  };
}

function mixedBlocks(photo: Photo, { pixels, step }: { pixels: Int32Array; step: number }): AddBlocks {
  const read = rowReader(photo, pixels);
  const row = Array.from({ length: photo.channels }, () => new Float32Array(pixels.length));
  return (y, channel, target) => {
    if (channel === 0) read(y, row.slice(0, photo.channels - 1));
    addBlocks(row[channel]!, step, target);
  };
}

function addBlocks(row: Float32Array, step: number, target: Float32Array): void {
  for (let i = 0, block = 0; i < row.length; block++) {
    let total = 0;
    for (const end = i + step; i < end; i++) total += row[i]!;
    target[block]! += total;
  }
}

function resampleBlocks({ planes, extent, columns, rows, size }: Blocks, channel: number, target: Float32Array): void {
  const plane = planes[channel]!;
  const narrowed = new Float32Array(size.width * extent.height);
  for (let y = 0; y < extent.height; y++) {
    mixAlong(plane.subarray(y * extent.width, (y + 1) * extent.width), columns, narrowed.subarray(y * size.width, (y + 1) * size.width));
  }
  for (let y = 0; y < size.height; y++) mixRows(narrowed, { ...rows, out: y }, target.subarray(y * size.width, (y + 1) * size.width));
}

/** The part `frame` of a mask, averaged over the area of each of `size`'s pixels: `[1, 1, H, W]` in 0..1; 0 beyond the photo. */
export function workingMask(mask: Mask, frame: Rect, size: Extent): FloatTensor {
  const across = areaShares({ start: frame.x, length: frame.width, inputs: mask.extent.width, outputs: size.width });
  const down = areaShares({ start: frame.y, length: frame.height, inputs: mask.extent.height, outputs: size.height });
  const narrow = new Float32Array(size.width);
  const result = floats([1, 1, size.height, size.width]);
  let lastRow = -1;
  down.forEach((shares, out) => {
    const target = result.data.subarray(out * size.width, (out + 1) * size.width);
    for (const { index, share } of shares) {
      if (index !== lastRow) narrowRow(mask.values.subarray(index * mask.extent.width), across, narrow);
      lastRow = index;
      for (let x = 0; x < size.width; x++) target[x] = Math.min(1, target[x]! + share * narrow[x]!);
    }
  });
  return result;
}

interface Share {
  readonly index: number;
  readonly share: number;
}

/** For each output sample the input samples that it covers and how much of it each fills; samples beyond the input are left out. */
function areaShares({ start, length, inputs, outputs }: { start: number; length: number; inputs: number; outputs: number }): Share[][] {
  const scale = length / outputs;
  return Array.from({ length: outputs }, (_, out) => {
    const [from, to] = [start + out * scale, start + (out + 1) * scale];
    const shares: Share[] = [];
    for (let index = Math.max(0, Math.floor(from)); index < Math.min(inputs, Math.ceil(to)); index++) {
      const covered = Math.min(to, index + 1) - Math.max(from, index);
      if (covered > 0) shares.push({ index, share: covered / scale });
    }
    return shares;
  });
}

function narrowRow(row: Uint8Array, across: readonly (readonly Share[])[], target: Float32Array): void {
  across.forEach((shares, x) => {
    let total = 0;
    for (const { index, share } of shares) total += share * row[index]!;
    target[x] = total / 255;
  });
}
