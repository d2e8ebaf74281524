import { sampleCount, type Extent } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { flood } from './parts.js';

// n pixels

const ROUNDS = 6;
/** How much a superpixel's width weighs against a difference of colours, in units of Lab. */
const COMPACT = 10;
/** Pieces smaller than this share of a superpixel join a neighbour. */
const PIECE = 0.25;

/** Patches of like colours that keep to edges; each hangs together. */
export interface Superpixels {
  /** `[n]`, 0…count − 1. */
  readonly labels: Int32Array;
  readonly count: number;
}

/** Simple linear iterative clustering (Achanta et al. 2012) of a picture in Lab, about `step` pixels a side; no randomness. */
export function superpixels(lab: Planes, extent: Extent, step: number): Superpixels {
  const centres = gridOf(lab, extent, step);
  const labels = new Int32Array(sampleCount(extent));
  const nearest = new Float32Array(labels.length);
  for (let round = 0; round < ROUNDS; round++) {
    nearest.fill(Infinity);
    centres.forEach((centre, label) => {
      claim({ centre, label, step }, { lab, extent, labels, nearest });
    });
    moveCentres(centres, { lab, extent, labels });
  }
  return connected(labels, extent, PIECE * step * step);
}

/** Colour and place: L, a, b, x, y. */
type Centre = Float64Array;

function gridOf([l, a, b]: Planes, { width, height }: Extent, step: number): Centre[] {
  const [columns, rows] = [width, height].map((side) => Math.max(1, Math.round(side / step))) as [number, number];
  return Array.from({ length: columns * rows }, (_, i) => {
    const x = Math.trunc(((i % columns) + 0.5) * (width / columns));
    const y = Math.trunc((Math.trunc(i / columns) + 0.5) * (height / rows));
    const at = y * width + x;
    return Float64Array.of(l[at]!, a[at]!, b[at]!, x, y);
  });
}

interface Clustering {
  readonly lab: Planes;
  readonly extent: Extent;
  readonly labels: Int32Array;
}

interface Claim {
  readonly centre: Centre;
  readonly label: number;
  readonly step: number;
}

function claim({ centre, label, step }: Claim, seen: Clustering & { readonly nearest: Float32Array }): void {
  const { lab, extent, labels, nearest } = seen;
  const [[pl, pa, pb], [cl, ca, cb, cx, cy]] = [lab, centre as unknown as [number, number, number, number, number]];
  const near = (COMPACT / step) ** 2;
  const [left, right] = [Math.max(0, Math.floor(cx - step)), Math.min(extent.width - 1, Math.ceil(cx + step))];
  const bottom = Math.min(extent.height - 1, Math.ceil(cy + step));
  for (let y = Math.max(0, Math.floor(cy - step)); y <= bottom; y++) {
    for (let x = left, i = y * extent.width + left; x <= right; x++, i++) {
      const colour = (pl[i]! - cl) ** 2 + (pa[i]! - ca) ** 2 + (pb[i]! - cb) ** 2;
      const distance = colour + near * ((x - cx) ** 2 + (y - cy) ** 2);
      if (distance >= nearest[i]!) continue;
      nearest[i] = distance;
      labels[i] = label;
    }
  }
}

function moveCentres(centres: readonly Centre[], { lab: [l, a, b], extent, labels }: Clustering): void {
  const counts = new Float64Array(centres.length);
  for (const centre of centres) centre.fill(0);
  for (let i = 0; i < labels.length; i++) {
    const centre = centres[labels[i]!]!;
    centre[0]! += l[i]!;
    centre[1]! += a[i]!;
    centre[2]! += b[i]!;
    centre[3]! += i % extent.width;
    centre[4]! += Math.trunc(i / extent.width);
    counts[labels[i]!]!++;
  }
  centres.forEach((centre, label) => {
    if (counts[label]! > 0) for (let k = 0; k < centre.length; k++) centre[k]! /= counts[label]!;
  });
}

/** Every piece becomes a superpixel of its own; what is too small goes to the piece beside it. */
function connected(labels: Int32Array, extent: Extent, least: number): Superpixels {
  const pieces = new Int32Array(labels.length).fill(-1);
  let count = 0;
  for (let start = 0; start < labels.length; start++) {
    if (pieces[start]! >= 0) continue;
    const members: number[] = [start];
    pieces[start] = count;
    flood([start], extent, (next) => {
      if (pieces[next]! >= 0 || labels[next] !== labels[start]) return false;
      pieces[next] = count;
      members.push(next);
      return true;
    });
    const beside = start % extent.width > 0 ? start - 1 : start - extent.width;
    if (members.length >= least || beside < 0) count++;
    else for (const member of members) pieces[member] = pieces[beside]!;
  }
  return { labels: pieces, count };
}
