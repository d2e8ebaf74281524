import { grown, squaredDistances, FAR } from '#base/distance.js';
import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { planesOf, type Planes } from '#engine/image/colour/colour.js';
import { fullScale, type Mask, type Photo } from '#engine/image/files/photo.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { workingCopy, workingMask } from '#engine/image/working/working-copy.js';

/** What is looked at beside a mask: this share of its longer side, on a picture of at most so many pixels to a side. */
const [AROUND, SIDE] = [0.35, 160];
/** An edge is looked for up to this share of the mask's longer side away, and from here on, in pixels of that picture. */
const [REACH, FROM] = [0.2, 1.5];
/** Blur before steps are measured, and along which they are averaged: texture averages out, an edge does not. */
const [SIGMA, ALONG] = [1, 2];
/** Of 1, per pixel: a soft shadow still has so much. It has to be so many times what grain and texture have. */
const [STEP, OVER_TEXTURE] = [0.015, 3];
/** A step is about so many pixels wide. */
const WIDTH = 3;
/** Directions from the middle of the mask, and in how many neighbouring ones an edge has to run along so much of the outline. */
const [SECTORS, NEIGHBOURS, LEAST] = [16, 3, 0.5];
/** What is beyond the edge. */
const ROOM = 1;

/** A rim is looked for so many pixels of the photo from the outline, and compared with as many behind those. */
const RIM = 8;
/** Of 1, from one pixel to the next: what a rim has on average, how often what lies behind it, and what ends it. */
const [RIM_STEP, OVER_BEHIND, ENDS] = [0.01, 2.2, 1.5];

/**
 * How far a mask has to grow, in pixels of the photo, to take in what stands out beside it: a shadow, the rest of the object,
 * or the rim that is left of it where the mask follows its outline exactly. Undefined where no edge runs along the outline
 * within reach; what crosses it (a horizon) is none.
 */
export async function restBeside(photo: Photo, mask: Mask, within?: Rect): Promise<number | undefined> {
  const bounds = paintedBounds(mask.values, mask.extent, within);
  if (!bounds) return undefined;
  const side = Math.max(bounds.width, bounds.height);
  const frame = grown(bounds, Math.ceil(AROUND * side), photo.extent);
  const scale = Math.min(1, SIDE / Math.max(frame.width, frame.height));
  const extent = { width: Math.max(1, Math.round(frame.width * scale)), height: Math.max(1, Math.round(frame.height * scale)) };
  const planes = planesOf(await workingCopy(photo, frame, extent));
  const hole = workingMask(mask, frame, extent).data;
  const reach = Math.min(REACH * side, thicknessOf(hole, side * scale) / scale);
  const distances = distancesTo(hole, extent, Math.ceil(reach * scale) + 1);
  const steps = stepsAcross(planes, distances, extent);
  const growth = edgeAlong(steps, distances, extent);
  return growth === undefined ? rimBeside(photo, mask, bounds) : Math.ceil((growth + ROOM) / scale);
}

/** How wide the soft edge of an object is that a mask ends in; undefined where it ends in what lies around, or in texture. */
function rimBeside(photo: Photo, mask: Mask, bounds: Rect): number | undefined {
  const steps = stepsOutwards(photo, mask, bounds);
  const behind = steps.slice(RIM).reduce((sum, step) => sum + step, 0) / RIM;
  const least = Math.max(RIM_STEP, OVER_BEHIND * behind);
  if (!((steps[0]! + steps[1]!) / 2 >= least)) return undefined;
  const end = steps.findIndex((step) => step < Math.max(RIM_STEP / 2, ENDS * behind));
  return 1 + (end < 0 || end > RIM ? RIM : end);
}

/** Mean change of colour from one pixel outside the mask to the next one, along rows and columns that leave it. */
function stepsOutwards({ samples, channels, extent }: Photo, mask: Mask, bounds: Rect): readonly number[] {
  const sums = new Float64Array(2 * RIM);
  const full = fullScale(samples);
  const colours = channels < 3 ? 1 : 3;
  let count = 0;
  /** `room` is how many pixels there are outwards. */
  const leave = (from: number, stride: number, room: number) => {
    if (room <= 2 * RIM) return;
    for (let k = 1; k <= 2 * RIM + 1; k++) if (mask.values[from + k * stride] !== 0) return;
    count++;
    for (let k = 1; k <= 2 * RIM; k++) {
      const [a, b] = [(from + k * stride) * channels, (from + (k + 1) * stride) * channels];
      let most = 0;
      for (let c = 0; c < colours; c++) most = Math.max(most, Math.abs(samples[a + c]! - samples[b + c]!));
      sums[k - 1]! += most / full;
    }
  };
  for (let y = bounds.y; y < bounds.y + bounds.height; y++) {
    for (let x = bounds.x, i = y * extent.width + x; x < bounds.x + bounds.width; x++, i++) {
      if (mask.values[i] === 0) continue;
      leave(i, 1, extent.width - 1 - x);
      leave(i, -1, x);
      leave(i, extent.width, extent.height - 1 - y);
      leave(i, -extent.width, y);
    }
  }
  return Array.from(sums, (sum) => sum / count);
}

/** Of a mask whose longer side is `side`: next to a scratch no object's shadow lies, only what the scratch runs through. */
function thicknessOf(hole: Float32Array, side: number): number {
  return hole.reduce((sum, value) => sum + value, 0) / side;
}

/** Of each pixel to the hole, in pixels; Infinity beyond `reach`. */
function distancesTo(hole: Float32Array, extent: Extent, reach: number): Float32Array {
  const squared = squaredDistances((x, y) => hole[y * extent.width + x]! > 0, { x: 0, y: 0, ...extent }, reach);
  return Float32Array.from(squared, (value) => (value === FAR ? Infinity : Math.sqrt(value)));
}

/** How much colours change going away from the hole, averaged along it: the largest of the channels. Where it points, too. */
function stepsAcross(planes: Planes, distances: Float32Array, extent: Extent): Steps {
  const pixels = sampleCount(extent);
  const [ways, counts, strength] = [new Int32Array(pixels), new Float32Array(pixels), new Float32Array(pixels)];
  const away = planes.map(() => new Float32Array(pixels));
  const smooth = planes.map((plane) => gaussian(plane, extent, SIGMA));
  for (let y = 1; y < extent.height - 1; y++) {
    for (let x = 1; x < extent.width - 1; x++) {
      const i = y * extent.width + x;
      const across = distances[i + 1]! - distances[i - 1]!;
      const down = distances[i + extent.width]! - distances[i - extent.width]!;
      const length = Math.hypot(across, down);
      if (distances[i] === 0 || !(length > 0 && length < Infinity)) continue;
      const [nx, ny] = [across / length, down / length];
      ways[i] = Math.round(ny) * extent.width + Math.round(nx);
      counts[i] = 1;
      smooth.forEach((plane, c) => {
        away[c]![i] = (nx * (plane[i + 1]! - plane[i - 1]!) + ny * (plane[i + extent.width]! - plane[i - extent.width]!)) / 2;
      });
    }
  }
  const share = gaussian(counts, extent, ALONG);
  for (const plane of away) {
    const mean = gaussian(plane, extent, ALONG);
    for (let i = 0; i < pixels; i++) if (counts[i]! > 0) strength[i] = Math.max(strength[i]!, Math.abs(mean[i]!) / share[i]!);
  }
  return { strength, ways, counted: counts };
}

interface Steps {
  readonly strength: Float32Array;
  /** From a pixel to the next one away from the hole. */
  readonly ways: Int32Array;
  /** 1 where a step was measured. */
  readonly counted: Float32Array;
}

/**
 * How far away an edge lies that runs along the hole; undefined where there is none. Texture, and edges that run elsewhere,
 * are strong here and there at every distance; one that runs along the hole, seen from its middle, at one in each direction.
 */
function edgeAlong({ strength, ways, counted }: Steps, distances: Float32Array, extent: Extent): number | undefined {
  const sectors = Array.from({ length: SECTORS }, () => ({ strong: [] as number[], all: [] as number[] }));
  const ring = strength.filter((_, i) => counted[i]! > 0 && distances[i]! >= FROM).sort();
  const least = Math.max(STEP, OVER_TEXTURE * (ring[ring.length >> 1] ?? 0));
  const sectorOf = directionsFrom(distances, extent);
  for (let i = 0; i < strength.length; i++) {
    const distance = distances[i]!;
    if (counted[i] === 0 || distance < FROM) continue;
    const { strong, all } = sectors[sectorOf(i)]!;
    const layer = Math.round(distance);
    all[layer] = (all[layer] ?? 0) + 1;
    // The mask's own edge fades outwards; one that lies beside it rises before.
    if (strength[i]! >= least && strength[i]! >= strength[i - ways[i]!]!) strong[layer] = (strong[layer] ?? 0) + 1;
  }
  return farthestOfRun(sectors.map(edgeIn));
}

/** Where in a sector an edge goes through all of it. */
function edgeIn({ strong, all }: { readonly strong: readonly number[]; readonly all: readonly number[] }): number | undefined {
  const shares = Array.from({ length: all.length }, (_, layer) => (strong[layer] ?? 0) / Math.max(1, all[layer] ?? 0));
  const wide = shares.map((share, layer) => (share + (shares[layer - 1] ?? 0) + (shares[layer + 1] ?? 0)) / WIDTH);
  const layer = wide.findLastIndex((share) => share >= LEAST);
  return layer < 0 ? undefined : layer + 1;
}

/** The farthest edge of neighbouring sectors that have one, if they are enough. */
function farthestOfRun(edges: readonly (number | undefined)[]): number | undefined {
  for (let from = 0; from < SECTORS; from++) {
    const run = Array.from({ length: NEIGHBOURS }, (_, k) => edges[(from + k) % SECTORS]);
    if (run.every((edge) => edge !== undefined)) return Math.max(...edges.filter((edge) => edge !== undefined));
  }
  return undefined;
}

/** Of a pixel: in which direction it lies from the middle of the hole. */
function directionsFrom(distances: Float32Array, { width }: Extent): (pixel: number) => number {
  let [x, y, count] = [0, 0, 0];
  distances.forEach((distance, i) => {
    if (distance === 0) [x, y, count] = [x + (i % width), y + Math.trunc(i / width), count + 1];
  });
  const turn = SECTORS / (2 * Math.PI);
  return (i) => Math.floor(Math.atan2(Math.trunc(i / width) - y / count, (i % width) - x / count) * turn + SECTORS) % SECTORS;
}
