import { grown, squaredDistances, FAR } from '#base/distance.js';
import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { planesOf, type Planes } from '#engine/image/colour/colour.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
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
/** A step is about so many pixels wide on the side that is counted. */
const WIDTH = 2;
/** Share of the outline that an edge has to run along. */
const LEAST = 0.15;
/** What is beyond most of the edge. */
const [MOST, ROOM] = [0.9, 2];

/**
 * How far a mask has to grow, in pixels of the photo, to take in what stands out beside it: a shadow, or the rest of the
 * object. Undefined where no edge runs along the outline within reach; what crosses it (a horizon) is none.
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
  return growth === undefined ? undefined : Math.ceil((growth + ROOM) / scale);
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

/** How far away most of an edge lies that runs along the hole; undefined where there is none. */
function edgeAlong({ strength, ways, counted }: Steps, distances: Float32Array, { height }: Extent): number | undefined {
  const [strong, all] = [new Map<number, number>(), new Map<number, number>()];
  const far: number[] = [];
  const ring = strength.filter((_, i) => counted[i]! > 0 && distances[i]! >= FROM).sort();
  const least = Math.max(STEP, OVER_TEXTURE * (ring[ring.length >> 1] ?? 0));
  for (let i = 0; i < strength.length; i++) {
    const distance = distances[i]!;
    if (counted[i] === 0 || distance < FROM) continue;
    const layer = Math.round(distance);
    all.set(layer, (all.get(layer) ?? 0) + 1);
    // The mask's own edge fades outwards; one that lies beside it rises before.
    if (strength[i]! < least || strength[i]! < strength[i - ways[i]!]!) continue;
    strong.set(layer, (strong.get(layer) ?? 0) + 1);
    far.push(distance);
  }
  const along = [...strong].reduce((sum, [layer, count]) => sum + count / all.get(layer)!, 0) / WIDTH;
  if (along < LEAST || far.length < height / 40) return undefined;
  return far.sort((a, b) => a - b)[Math.trunc(MOST * (far.length - 1))];
}
