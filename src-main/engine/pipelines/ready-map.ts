import { sameExtent, type Extent, type Rect } from '#base/geometry.js';
import { luma } from '#base/luma.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import { COLOURED_MAPS, type ControlSettings } from '#contract/request.js';
import { thresholdMap } from '#engine/control/canny.js';
import { invertMap, stretchMap } from '#engine/control/depth.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { fullScale, incompleteAs, type Photo } from '#engine/image/files/photo.js';
import { mixAlong, mixRows, resampleTaps } from '#engine/image/sampling/resample.js';
import { frameWhole } from '#engine/image/working/frame.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { PipelineJob } from './model.js';

// S model picture side

/** A map of the user's own. */
export interface ReadyMap {
  readonly photo: Photo;
  /** What counts as 0 and 1, in 0..1 of its samples. */
  readonly range: { readonly low: number; readonly high: number };
  readonly notices: readonly Notice[];
}

/** Where in the result a view lies, in result pixels. */
export interface MapPlace {
  readonly canvas: Extent;
  /** Where the source lies on a larger canvas. */
  readonly kept?: Rect | undefined;
  readonly frame: Rect;
}

/** A map that uses less than this of its range holds other units, such as millimetres, or 0 and 1. */
const LITTLE = 0.25;
/** As with masks, sides may be in the same proportion up to this. */
const SAME_SHAPE = 0.01;

/** The map that a request names; undefined where it names none. */
export async function openMap({
  request: { control },
  pictures,
}: Pick<PipelineJob, 'request' | 'pictures'>): Promise<ReadyMap | undefined> {
  if (control?.map === undefined) return undefined;
  const bytes = pictures[control.map];
  if (!bytes) throw new ExpectedError('request.invalid', 'Expected a control map picture but received none.');
  const photo = amountsOf(await openPhoto(bytes));
  const range = COLOURED_MAPS.includes(control.kind) ? { low: 0, high: 1 } : rangeOf(photo, control.kind === 'depth');
  const stretched = range.high === 1 ? [] : [stretchedNotice(photo, range)];
  return { photo, range, notices: [...incompleteAs('map', photo), ...stretched] };
}

/**
 * Samples of a map are amounts, not colours: its profile does not change them, and where it is transparent there is nothing.
 * What is drawn in black on nothing is what is not transparent.
 */
function amountsOf({ icc: _, ...photo }: Photo): Photo {
  const { channels } = photo;
  if (channels === 1 || channels === 3) return photo;
  const colours = channels === 2 ? 1 : 3;
  const shown = overNothing(photo, colours);
  return { ...photo, channels: colours, samples: shown.some((value) => value > 0) ? shown : overNothing(inWhite(photo), colours) };
}

function overNothing({ samples, channels }: Photo, colours: number): Photo['samples'] {
  const full = fullScale(samples);
  return samples.slice(0, (samples.length / channels) * colours).map((_, i) => {
    const at = Math.trunc(i / colours) * channels;
    return Math.round((samples[at + (i % colours)]! * samples[at + colours]!) / full);
  });
}

function inWhite(photo: Photo): Photo {
  const full = fullScale(photo.samples);
  return { ...photo, samples: photo.samples.map((value, i) => (i % photo.channels === photo.channels - 1 ? value : full)) };
}

function rangeOf({ samples }: Photo, measured: boolean): ReadyMap['range'] {
  const full = fullScale(samples);
  let [low, high] = [full, 0];
  for (const value of samples) {
    high = Math.max(high, value);
    // Where nothing was measured there is 0.
    if (value > 0) low = Math.min(low, value);
  }
  if (high === 0 || high >= LITTLE * full) return { low: 0, high: 1 };
  return { low: measured && low < high ? low / full : 0, high: high / full };
}

function stretchedNotice({ samples }: Photo, { low, high }: ReadyMap['range']): Notice {
  const full = fullScale(samples);
  const [from, to] = [Math.round(low * full), Math.round(high * full)];
  const message = `The map uses only ${from} to ${to} of ${full}: it was stretched. White counts as near; --invert turns it round.`;
  return { code: 'map.stretched', message, details: { from, to, full } };
}

/** What is said of a map beside its picture. */
export function mapNotices({ photo, notices }: ReadyMap, { canvas, kept }: Omit<MapPlace, 'frame'>): readonly Notice[] {
  if (sameShape(photo.extent, canvas) || (kept && sameShape(photo.extent, kept))) return notices;
  const [received, expected] = [photo.extent, canvas].map(({ width, height }) => `${width}×${height}`);
  const message = `The map of ${received} has another shape than the picture of ${expected}: it was fitted into the middle.`;
  return [...notices, { code: 'map.fitted', message, details: { received, expected } }];
}

/**
 * The map as the model sees it, `[1, 1, S, S]`, or `[1, 3, S, S]` where its colours count: cut as the picture is, and held to
 * the settings that a map made from the picture would be held to.
 */
export async function readyPlane(
  { photo, range }: ReadyMap,
  settings: ControlSettings,
  view: MapPlace & { size: Extent },
): Promise<FloatTensor> {
  const copy = await cut(photo, mapFrame(photo.extent, view), view.size);
  if (COLOURED_MAPS.includes(settings.kind)) return settings.invert ? invertMap(copy) : copy;
  const plane = brightness(copy);
  if (range.high < 1) {
    plane.data.forEach((value, i) => (plane.data[i] = Math.min(1, Math.max(0, (value - range.low) / (range.high - range.low)))));
  }
  const held = settings.kind === 'canny' ? thresholdMap(plane, settings) : stretchMap(plane, settings);
  return settings.invert ? invertMap(held) : held;
}

/** The frame in pixels of the map, which may be parts of them. */
function mapFrame(map: Extent, { canvas, kept, frame, size }: MapPlace & { size: Extent }): Rect {
  const aspect = size.width / size.height;
  const whole = frameWhole(canvas, aspect);
  const onKept = kept && !sameShape(map, canvas) && sameShape(map, kept);
  // All of a picture is seen as all of a map is, to the rounding of sides.
  if (!onKept && sameExtent(frame, whole) && frame.x === whole.x && frame.y === whole.y) return frameWhole(map, aspect);
  const [from, to] = references(map, { canvas, kept: onKept ? kept : undefined, aspect });
  const [across, down] = [to.width / from.width, to.height / from.height];
  return {
    x: to.x + (frame.x - from.x) * across,
    y: to.y + (frame.y - from.y) * down,
    width: frame.width * across,
    height: frame.height * down,
  };
}

/** A rectangle of the canvas, and the one of the map that lies on it. */
function references(
  map: Extent,
  { canvas, kept, aspect }: { canvas: Extent; kept: Rect | undefined; aspect: number },
): readonly [Rect, Rect] {
  const all = (extent: Extent) => ({ x: 0, y: 0, ...extent });
  if (kept) return [kept, all(map)];
  return sameShape(map, canvas) ? [all(canvas), all(map)] : [frameWhole(canvas, aspect), frameWhole(map, aspect)];
}

function sameShape(a: Extent, b: Extent): boolean {
  const rounding = Math.max(1 / a.width, 1 / a.height);
  return Math.abs((a.width * b.height) / (a.height * b.width) - 1) <= Math.max(SAME_SHAPE, rounding);
}

/** Over so many map pixels per model pixel, parts of them do not count. */
const FINE = 4;

async function cut(photo: Photo, frame: Rect, size: Extent): Promise<FloatTensor> {
  const whole = { x: Math.round(frame.x), y: Math.round(frame.y), width: Math.round(frame.width), height: Math.round(frame.height) };
  const isWhole = (['x', 'y', 'width', 'height'] as const).every((side) => Math.abs(whole[side] - frame[side]) < 1e-6);
  if (isWhole || frame.width >= FINE * size.width) return workingCopy(photo, whole, size);
  const border = FINE;
  const cover = { x: Math.floor(frame.x) - border, y: Math.floor(frame.y) - border, width: 0, height: 0 };
  cover.width = Math.ceil(frame.x + frame.width) + border - cover.x;
  cover.height = Math.ceil(frame.y + frame.height) + border - cover.y;
  return resampled(await workingCopy(photo, cover, cover), { ...frame, x: frame.x - cover.x, y: frame.y - cover.y }, size);
}

/** The part `frame` of `picture [1, 3, h, w]` at `size`. */
function resampled(picture: FloatTensor, frame: Rect, size: Extent): FloatTensor {
  const [, , height = 0, width = 0] = picture.dims;
  const common = { kernel: frame.width > size.width ? ('lanczos' as const) : ('cubic' as const), border: 'clamp' as const };
  const columns = resampleTaps({ ...common, from: frame.x, span: frame.width, outputs: size.width, inputs: width });
  const rows = resampleTaps({ ...common, from: frame.y, span: frame.height, outputs: size.height, inputs: height });
  const result = floats([1, 3, size.height, size.width]);
  const narrow = new Float32Array(size.width * height);
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      const row = picture.data.subarray((c * height + y) * width, (c * height + y + 1) * width);
      mixAlong(row, columns, narrow.subarray(y * size.width, (y + 1) * size.width));
    }
    for (let y = 0; y < size.height; y++) {
      const at = (c * size.height + y) * size.width;
      mixRows(narrow, { ...rows, out: y }, result.data.subarray(at, at + size.width));
    }
  }
  result.data.forEach((value, i) => (result.data[i] = Math.min(1, Math.max(0, value))));
  return result;
}

function brightness(picture: FloatTensor): FloatTensor {
  const [, , height = 0, width = 0] = picture.dims;
  const pixels = height * width;
  const [red, green, blue] = [0, 1, 2].map((channel) => picture.data.subarray(channel * pixels, (channel + 1) * pixels));
  return floats(
    [1, 1, height, width],
    red!.map((value, i) => luma(value, green![i]!, blue![i]!)),
  );
}
