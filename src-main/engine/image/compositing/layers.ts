import type { Layer as PsdLayer, LayerMaskData, PixelData } from 'ag-psd';
import type { Extent } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { eightBit } from '#engine/image/files/encode.js';
import { openMask } from '#engine/image/working/mask.js';
import { rgbProfileOfGray } from '#engine/image/files/gray-profile.js';
import type { Photo } from '#engine/image/files/photo.js';

/** One layer as encoded bytes, placed on the canvas. */
export interface Layer {
  readonly name: string;
  readonly picture: Uint8Array;
  /** White where the edit was allowed. */
  readonly mask?: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly hidden: boolean;
}

/** Photoshop's own limit for a side. */
const MAX_SIDE = 30_000;
/** A gigabyte while it is written. */
const MAX_PIXELS = 250_000_000;
const PROFILE = 1039;
/** Signature, version, reserved bytes, channels, size, depth and mode. */
const HEADER_BYTES = 26;

interface Canvas extends Extent {
  /** What lies on it so far, RGBA. */
  readonly data: Uint8ClampedArray;
}

/** A picture on its way to a layer. */
interface Patch {
  readonly layer: PsdLayer;
  /** Canvas pixels that it shows where neither it nor what lies below is opaque: they must not be laid over each other. */
  readonly replaced: readonly number[];
}

/**
 * A Photoshop file of 8 bits with the layers' samples as they stand and the profile of the lowest. Every layer but the
 * lowest holds only the pixels that differ from what lies below it. Where such a pixel is not opaque, what lies below is
 * masked away (in the photograph) or left out (in a step), so that the layers together equal the result at every pixel.
 *
 * @throws ExpectedError `output.too-large`, or what opening a picture throws.
 */
export async function encodeLayers(layers: readonly Layer[]): Promise<Uint8Array> {
  let canvas: Canvas = { width: 0, height: 0, data: new Uint8ClampedArray() };
  const children: PsdLayer[] = [];
  let icc: Uint8Array | undefined;
  let pixels = 0;
  const gone = new Set<number>();
  for (const layer of layers) {
    const photo = eightBit(await openPhoto(layer.picture));
    icc ??= profileOf(photo);
    canvas = grown(canvas, { width: layer.left + photo.extent.width, height: layer.top + photo.extent.height });
    const { layer: patch, replaced } = patchOf(canvas, rgba(photo), layer);
    pixels += (patch.imageData?.width ?? 0) * (patch.imageData?.height ?? 0);
    expectRoom(canvas, pixels);
    for (const below of children.slice(1)) clearPixels(below, replaced, canvas.width);
    for (const pixel of replaced) gone.add(pixel);
    children.push({ ...patch, name: layer.name, hidden: layer.hidden, ...(layer.mask && { mask: await maskOf(layer, photo.extent) }) });
  }
  const { width, height, data } = canvas;
  maskAway(children, gone, canvas);
  // Loaded by whoever saves layers: no edit needs it.
  const { writePsd } = await import('ag-psd');
  const psd = new Uint8Array(writePsd({ width, height, children, imageData: { width, height, data } }, { noBackground: true }));
  return icc ? withProfile(psd, icc) : psd;
}

/** Layers are colour: a gray photograph's profile becomes one of three channels. */
function profileOf({ channels, icc }: Photo): Uint8Array | undefined {
  return channels >= 3 ? icc : icc && rgbProfileOfGray(icc);
}

function expectRoom({ width, height }: Extent, pixels: number): void {
  if (Math.max(width, height) <= MAX_SIDE && pixels <= MAX_PIXELS) return;
  const limit = `at most ${MAX_PIXELS / 1_000_000} megapixels of layers and ${MAX_SIDE} pixels per side`;
  throw new ExpectedError('output.too-large', `Expected ${limit} for a Photoshop file but received more.`);
}

function rgba({ extent, channels, samples }: Photo): PixelData {
  const pixels = extent.width * extent.height;
  const data = new Uint8ClampedArray(pixels * 4);
  const [green, blue, alpha] = channels <= 2 ? [0, 0, 1] : [1, 2, 3];
  for (let i = 0; i < pixels; i++) {
    const at = i * channels;
    data[i * 4] = samples[at]!;
    data[i * 4 + 1] = samples[at + green]!;
    data[i * 4 + 2] = samples[at + blue]!;
    data[i * 4 + 3] = channels % 2 === 0 ? samples[at + alpha]! : 255;
  }
  return { ...extent, data };
}

/** The same canvas, at least as large as that. */
function grown(canvas: Canvas, { width, height }: Extent): Canvas {
  if (width <= canvas.width && height <= canvas.height) return canvas;
  const size = { width: Math.max(width, canvas.width), height: Math.max(height, canvas.height) };
  const data = new Uint8ClampedArray(size.width * size.height * 4);
  for (let y = 0; y < canvas.height; y++) {
    data.set(canvas.data.subarray(y * canvas.width * 4, (y + 1) * canvas.width * 4), y * size.width * 4);
  }
  return { ...size, data };
}

/** What a picture shows that the canvas did not; where it is to be seen, it lies there from now on. */
function patchOf(canvas: Canvas, { width, height, data }: PixelData, { left, top, hidden }: Layer): Patch {
  const below = new Uint32Array(canvas.data.buffer);
  const above = new Uint32Array(data.buffer);
  const box = { left: width, top: height, right: 0, bottom: 0 };
  const differs = (x: number, y: number) => above[y * width + x] !== below[(y + top) * canvas.width + x + left];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!differs(x, y)) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = y + 1;
    }
  }
  const size = { width: Math.max(0, box.right - box.left), height: Math.max(0, box.bottom - box.top) };
  const patch = new Uint32Array(size.width * size.height);
  const replaced: number[] = [];
  for (let y = box.top; y < box.bottom; y++) {
    for (let x = box.left; x < box.right; x++) {
      const pixel = above[y * width + x]!;
      const place = (y + top) * canvas.width + x + left;
      if (differs(x, y)) {
        patch[(y - box.top) * size.width + x - box.left] = pixel;
        const shines = data[(y * width + x) * 4 + 3]! < 255 && canvas.data[place * 4 + 3]! > 0;
        if (shines && !hidden) replaced.push(place);
      }
      if (!hidden) below[place] = pixel;
    }
  }
  if (patch.length === 0) return { layer: { left, top, right: left, bottom: top }, replaced };
  const imageData = { ...size, data: new Uint8ClampedArray(patch.buffer) };
  return { layer: { left: left + box.left, top: top + box.top, imageData }, replaced };
}

/** Takes pixels of the canvas out of a layer. */
function clearPixels({ left = 0, top = 0, imageData }: PsdLayer, pixels: readonly number[], canvasWidth: number): void {
  if (!imageData) return;
  for (const pixel of pixels) {
    const [x, y] = [(pixel % canvasWidth) - left, Math.trunc(pixel / canvasWidth) - top];
    if (x < 0 || y < 0 || x >= imageData.width || y >= imageData.height) continue;
    imageData.data.fill(0, (y * imageData.width + x) * 4, (y * imageData.width + x) * 4 + 4);
  }
}

/** In the photograph, which keeps every pixel below its mask. */
function maskAway([photograph]: readonly PsdLayer[], pixels: ReadonlySet<number>, canvas: Extent): void {
  if (photograph && pixels.size > 0) photograph.mask = maskWithout(pixels, canvas);
}

/** A mask that is switched on. */
function maskWithout(pixels: ReadonlySet<number>, { width, height }: Extent): LayerMaskData {
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (const pixel of pixels) data.fill(0, pixel * 4, pixel * 4 + 3);
  return { left: 0, top: 0, defaultColor: 255, imageData: { width, height, data } };
}

async function maskOf({ mask = new Uint8Array(), left, top }: Layer, extent: Extent): Promise<LayerMaskData> {
  const { values } = (await openMask(mask, extent)).mask;
  const data = new Uint8ClampedArray(values.length * 4);
  values.forEach((value, i) => data.fill(value, i * 4, i * 4 + 3).fill(255, i * 4 + 3, i * 4 + 4));
  return { left, top, defaultColor: 0, disabled: true, imageData: { ...extent, data } };
}

/** The writer knows no profiles: one is put in front of its image resources. */
function withProfile(psd: Uint8Array, icc: Uint8Array): Uint8Array {
  const view = new DataView(psd.buffer, psd.byteOffset, psd.byteLength);
  const resources = HEADER_BYTES + 4 + view.getUint32(HEADER_BYTES);
  const block = new Uint8Array(12 + icc.length + (icc.length % 2));
  const head = new DataView(block.buffer);
  block.set(Buffer.from('8BIM', 'latin1'));
  head.setUint16(4, PROFILE);
  // An empty name takes two bytes.
  head.setUint32(8, icc.length);
  block.set(icc, 12);
  view.setUint32(resources, view.getUint32(resources) + block.length);
  return Buffer.concat([psd.subarray(0, resources + 4), block, psd.subarray(resources + 4)]);
}
