import { grown } from '#base/distance.js';
import { common, intersect, sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { colourSpaceOf, planesOf, type Planes } from '#engine/image/colour/colour.js';
import { pairsOf } from '#engine/image/compositing/explains.js';
import { recoloured, type Recoloured } from '#engine/image/compositing/objects/recoloured.js';
import { remainsOf, type Region } from '#engine/image/compositing/objects/gone.js';
import type { GuidedLines } from '#engine/image/compositing/objects/guided-filter.js';
import type { Standing } from '#engine/image/compositing/objects/named-parts.js';
import { changedObject, edgeOf } from '#engine/image/compositing/objects/segment.js';
import type { Wording } from './wording.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import { srgbRowReader, workingCopy } from '#engine/image/working/working-copy.js';
import { resizeArea } from '#engine/tensor/resample.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

// h, w model picture · H, W the picture on which the object is looked for

/** Rows of the picture on which an object is looked for: finer than the model's, and cheap on any photograph. */
const ROWS = 256;
const CHANGE_SIGMA = 1;
/** Of what the edge's lines say, so much is surely outside and inside. */
const [SURELY_OUT, SURELY_IN] = [0.15, 0.85];
/** A model pixel belongs to the object where nearly all of it, or in slight objects half of it, does. */
const [WHOLLY, HALF] = [0.95, 0.5];
const FEWEST = 24;

/** A pair of decoded pictures `[1, 3, h, w]` and the tokens that an edit changed, `[1, h', w']`. */
export interface ObjectTrace {
  readonly before: FloatTensor;
  readonly after: FloatTensor;
  readonly tokens: FloatTensor;
}

/** What an edit changed in a photograph, found once for all that ask for it. */
export interface FoundObject {
  /** 1 inside, `[H·W]`. */
  readonly inside: Float32Array;
  /** The photograph where it was looked for, `[H·W]` planes. */
  readonly planes: Planes;
  readonly place: Place;
  readonly trace: ObjectTrace;
}

/** Finds what an edit changed, up to the photograph's own edges; none where nothing changed. */
export async function foundObject(trace: ObjectTrace, frame: Rect, canvas: Photo): Promise<FoundObject | undefined> {
  const [, , height = 0, width = 0] = trace.before.dims;
  const drawn = await lookedFor((extent) => changeOf(trace, extent), width / height, { frame, canvas });
  return drawn && { ...drawn, trace };
}

/** Where something stands, up to the photograph's own edges: what a finder says of it in place of what an edit changed. */
export async function standingObject({ odds }: Standing, frame: Rect, canvas: Photo): Promise<Mask | undefined> {
  const [, rows = 0, columns = 0] = odds.dims;
  const chances = { ...odds, data: odds.data.map((value) => 1 / (1 + Math.exp(-value))) };
  const drawn = await lookedFor((extent) => enlarged(chances, extent), columns / rows, { frame, canvas });
  return drawn && drawnObject(drawn);
}

/** The object that `signs` speak of, `[H·W]` in 0..1. */
async function lookedFor(
  signs: (extent: Extent) => Float32Array,
  aspect: number,
  { frame, canvas }: Omit<Place, 'extent'>,
): Promise<Drawn | undefined> {
  const extent = { width: Math.round(ROWS * aspect), height: ROWS };
  const planes = planesOf(await workingCopy(canvas, frame, extent));
  const inside = changedObject({ planes, change: signs(extent), extent });
  return inside && { inside, planes, place: { extent, frame, canvas } };
}

/** What became of the object's colours; none where the model shows too little of it. */
export function recolouring({ inside, trace, place: { extent } }: FoundObject): Recoloured | undefined {
  const [, , height = 0, width = 0] = trace.before.dims;
  const share = modelShare(inside, extent, trace);
  return recoloured(pairsOf(trace), { share, pixels: insidePixels(share), free: freeOf(trace), extent: { width, height } });
}

/** Where tokens changed, on the model's pixels, `[h·w]`; above 0 = free. */
export function freeOf({ before, tokens }: ObjectTrace): Float32Array {
  const [, , height = 0, width = 0] = before.dims;
  const [, rows = 1, columns = 1] = tokens.dims;
  return resizeArea(floats([1, rows, columns], tokens.data), [height, width]).data;
}

/** Share of every model pixel that lies inside, `[h·w]`. */
export function modelShare(inside: Float32Array, { width, height }: Extent, { before }: Pick<ObjectTrace, 'before'>): Float32Array {
  const [, , h = 0, w = 0] = before.dims;
  return resizeArea(floats([1, height, width], inside), [h, w]).data;
}

/** Where an object lies in the model's picture. */
export function regionOf(share: Float32Array, extent: Extent): Region {
  return { inside: share.map((value) => (value > 0.5 ? 1 : 0)), pixels: insidePixels(share), extent };
}

/** An object of which more was there stood there; less may be shown of one that was asked for in words, for ground resembles things. */
const STOOD = { shown: 0.7, asked: 1.4 } as const;

/** How much of the object is left, and how much of it was there before; see `remainsOf`. */
export interface Remains {
  readonly left: number;
  readonly wasThere: number;
}

export function remainsOfFound({ inside, place: { extent }, trace }: FoundObject): Remains | undefined {
  const [, , height = 0, width = 0] = trace.before.dims;
  const region = regionOf(modelShare(inside, extent, trace), { width, height });
  const { before, after } = pairsOf(trace);
  if (region.pixels.length === 0) return undefined;
  return { left: remainsOf({ before, after }, region), wasThere: remainsOf({ before: after, after: before }, region) };
}

/** Whether the object came: nothing of its outline was there before. */
export function hasCome({ wasThere }: Remains, wording: Wording | undefined): boolean {
  return wasThere < STOOD[wording === 'for' ? 'asked' : 'shown'];
}

function insidePixels(share: Float32Array): readonly number[] {
  const within = (least: number) => Array.from(share.keys()).filter((i) => share[i]! > least);
  const wholly = within(WHOLLY);
  return wholly.length < FEWEST ? within(HALF) : wholly;
}

/** The largest change of any channel where tokens changed, `[H·W]`. */
function changeOf({ before, after, tokens }: ObjectTrace, extent: Extent): Float32Array {
  const [, , height = 0, width = 0] = before.dims;
  const pixels = height * width;
  const largest = new Float32Array(pixels);
  before.data.forEach((value, i) => (largest[i % pixels] = Math.max(largest[i % pixels]!, Math.abs(after.data[i]! - value))));
  const [rows = 1, columns = 1] = tokens.dims.slice(-2);
  const change = gaussian(largest, { width, height }, CHANGE_SIGMA).map((value, i) => {
    const cell = Math.trunc((Math.trunc(i / width) * rows) / height) * columns + Math.trunc(((i % width) * columns) / width);
    return tokens.data[cell]! > 0 ? value : 0;
  });
  return enlarged(floats([1, height, width], change), extent);
}

/** `[1, h, w]` on a larger picture, `[H·W]`. */
function enlarged(map: FloatTensor, extent: Extent): Float32Array {
  const whole = { x: 0, y: 0, ...extent };
  const sampler = new FrameSampler(map, { frame: whole, region: whole, kernel: 'linear' });
  const result = new Float32Array(sampleCount(extent));
  for (let y = 0; y < extent.height; y++) sampler.read(0, y, result.subarray(y * extent.width, (y + 1) * extent.width));
  return result;
}

/** The object's soft edge on the photograph's own pixels (fast guided filter, He & Sun 2015). */
export async function drawnObject({ inside, planes, place }: Drawn): Promise<Mask> {
  const { extent, frame, canvas } = place;
  const values = new Uint8Array(sampleCount(canvas.extent));
  const bounds = paintedBounds(Uint8Array.from(inside), extent);
  const box = bounds && grown(bounds, EDGE_ROOM, extent);
  const there = box && onCanvas(box, place);
  const region = there && intersect(common(outwards(there), outwards(frame)), canvas.extent);
  if (!region || region.width <= 0 || region.height <= 0) return { extent: canvas.extent, values };
  const lines = floats([4, box.height, box.width]);
  edgeOf(planes, inside, { extent, box }).forEach((plane, k) => {
    lines.data.set(plane, k * plane.length);
  });
  const sampler = new FrameSampler(lines, { frame: there, region, kernel: 'linear' });
  const columns = Int32Array.from({ length: region.width }, (_, x) => region.x + x);
  const read = srgbRowReader(canvas, columns, await colourSpaceOf(canvas));
  const plane = () => new Float32Array(region.width);
  const [colours, slopes]: [Planes, GuidedLines] = [
    [plane(), plane(), plane()],
    [plane(), plane(), plane(), plane()],
  ];
  for (let y = 0; y < region.height; y++) {
    read(region.y + y, colours);
    sampler.readAll(y, slopes);
    const start = (region.y + y) * canvas.extent.width + region.x;
    writeShares(colours, slopes, values.subarray(start, start + region.width));
  }
  return { extent: canvas.extent, values };
}

/** What is drawn: 1 inside, `[H·W]`, on the photograph where it was found. */
export type Drawn = Pick<FoundObject, 'inside' | 'planes' | 'place'>;

function writeShares([red, green, blue]: Planes, [r, g, b, rest]: GuidedLines, target: Uint8Array): void {
  for (let x = 0; x < target.length; x++) {
    const said = r[x]! * red[x]! + g[x]! * green[x]! + b[x]! * blue[x]! + rest[x]!;
    target[x] = Math.round(255 * Math.min(1, Math.max(0, (said - SURELY_OUT) / (SURELY_IN - SURELY_OUT))));
  }
}

/** A part of the picture on which the object was found, in pixels of the canvas. */
function onCanvas({ x, y, width, height }: Rect, { extent, frame }: Place): Rect {
  const [scaleX, scaleY] = [frame.width / extent.width, frame.height / extent.height];
  return { x: frame.x + x * scaleX, y: frame.y + y * scaleY, width: width * scaleX, height: height * scaleY };
}

function outwards({ x, y, width, height }: Rect): Rect {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  return { x: left, y: top, width: Math.ceil(x + width) - left, height: Math.ceil(y + height) - top };
}

/** In pixels of the picture on which the object was found: as far as its edge's lines reach. */
const EDGE_ROOM = 8;

export interface Place {
  /** Of the picture on which the object was found. */
  readonly extent: Extent;
  readonly frame: Rect;
  readonly canvas: Photo;
}
