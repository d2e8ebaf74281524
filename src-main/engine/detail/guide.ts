import type { Rect } from '#base/geometry.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { CHANNELS, HOLE, PATCH_PIXELS, type Scale } from './scale.js';

/** What the model made of the hole. */
export interface Guide {
  /** `[1, 3, h, w]` sRGB, its tones matched to the photograph's. */
  readonly picture: FloatTensor;
  /** Where it lies, in photo pixels. */
  readonly frame: Rect;
  /** Model pixels across the finest detail that it holds. */
  readonly resolves: number;
  /** How much what it says counts, 0..3. */
  readonly lead: number;
  /** Whether what differs much from it is held off, however well it would join. */
  readonly holdsOff?: boolean;
}

/** Whether what the model says counts more than what the photograph suggests: an edge need not go on straight then. */
export function isLedByModel(guide: Guide | undefined): boolean {
  return guide !== undefined && (guide.lead >= 1 || guide.holdsOff === true);
}

/** A detail that the model resolves must be this small, in pixels of a scale, to lead it. */
const MOST_PIXELS = 2.01;
/** Blurs narrower than this change nothing. */
const NO_BLUR = 0.3;
/** The kernel's unit of a lead. */
const LEAD_UNIT = 16;
/** Root mean square over the colours, of 255, by which hardly any guide is wrong. */
const FOREIGN = 31;

/** A detail of the model in pixels of a scale that is `shrink` times smaller than the photograph. */
function detailPx({ picture, frame, resolves }: Guide, shrink: number): number {
  return (resolves * frame.width) / (picture.dims.at(-1) ?? 1) / shrink;
}

/**
 * Lets the model's picture lead a scale (image analogies, Hertzmann et al. 2001): patches are also compared by what the model
 * says of their place and by the photograph as coarse as the model sees it. False where it has nothing to say at this size.
 */
export function leadScale(scale: Scale, guide: Guide, { window, shrink }: { readonly window: Rect; readonly shrink: number }): boolean {
  const detail = detailPx(guide, shrink);
  if (guide.lead <= 0 || detail > MOST_PIXELS) return false;
  const sigma = 1.2 * detail;
  scale.set({ lead: Math.round(guide.lead * PATCH_PIXELS * LEAD_UNIT), foreign: guide.holdsOff ? 3 * FOREIGN ** 2 : 0 });
  writeSeen(scale, sigma);
  writeGuide(scale, guide, { window, shrink, sigma });
  return true;
}

/** The known part of the photograph, as coarse as the model resolves: what is not known has no say. */
function writeSeen(scale: Scale, sigma: number): void {
  const { extent, planes, state } = scale;
  const pixels = extent.width * extent.height;
  const seen = scale.takeBytes('seen', pixels * 4);
  const known = Float32Array.from(state, (bits) => (bits & HOLE ? 0 : 1));
  const blurs = sigma > NO_BLUR;
  const certainty = blurs ? gaussian(known, extent, sigma) : known;
  for (let c = 0; c < 3; c++) {
    const plane = known.map((share, i) => share * planes[i * CHANNELS + c]!);
    const coarse = blurs ? gaussian(plane, extent, sigma) : plane;
    for (let i = 0; i < pixels; i++) seen[i * 4 + c] = certainty[i]! > 0 ? Math.round(coarse[i]! / certainty[i]!) : 0;
  }
}

interface Placing {
  readonly window: Rect;
  readonly shrink: number;
  readonly sigma: number;
}

function writeGuide(scale: Scale, { picture, frame }: Guide, { window, shrink, sigma }: Placing): void {
  const { box } = scale;
  const spread = sigma > NO_BLUR ? Math.max(NO_BLUR, sigma / 2) : 0;
  const margin = Math.ceil(2 * spread);
  const region = { x: box.x - margin, y: box.y - margin, width: box.width + 2 * margin, height: box.height + 2 * margin };
  const placed = {
    x: (frame.x - window.x) / shrink,
    y: (frame.y - window.y) / shrink,
    width: frame.width / shrink,
    height: frame.height / shrink,
  };
  const sampler = new FrameSampler(picture, { frame: placed, region, kernel: 'linear' });
  const guide = scale.takeBytes('guide', box.width * box.height * 4);
  for (let c = 0; c < 3; c++) {
    const plane = new Float32Array(region.width * region.height);
    for (let y = 0; y < region.height; y++) sampler.read(c, y, plane.subarray(y * region.width, (y + 1) * region.width));
    const smooth = spread > 0 ? gaussian(plane, region, spread) : plane;
    for (let k = 0; k < box.width * box.height; k++) {
      const at = (Math.trunc(k / box.width) + margin) * region.width + margin + (k % box.width);
      guide[k * 4 + c] = Math.round(255 * Math.min(1, Math.max(0, smooth[at]!)));
    }
  }
}

/** How far each hole pixel's source is from what the model says of it: root of the mean square over the colours, 0..1. */
export function misfitOf(scale: Scale): Float32Array {
  const { box, extent, pool } = scale;
  const seen = new Uint8Array(pool.memory, scale.get('seen'), extent.width * extent.height * 4);
  const guide = new Uint8Array(pool.memory, scale.get('guide'), box.width * box.height * 4);
  return Float32Array.from(scale.ints('field'), (source, k) => {
    if (source < 0) return 0;
    let total = 0;
    for (let c = 0; c < 3; c++) total += (seen[source * 4 + c]! - guide[k * 4 + c]!) ** 2;
    return Math.sqrt(total / 3) / 255;
  });
}
