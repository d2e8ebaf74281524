import { grown } from '#base/distance.js';
import type { Extent, Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { maxWindow } from '#engine/image/sampling/gauss.js';
import { ColourModel } from './colour-model.js';
import { GUIDED_REACH, GuidedFilter, type GuidedLines } from './guided-filter.js';
import { partsOf } from './parts.js';

/** Shares of the strong change (its 80th percentile where there is any): surely the object, and perhaps. */
const [CORE, MAYBE] = [0.6, 0.15];
const STRONG_QUANTILE = 0.8;
/** Change of less, of 1, is the tokenizer's wavering. */
const WAVERS = 0.04;
/** How far beyond the change the object may reach, and how far its surroundings are looked at, as shares of the height. */
const [GROW, AROUND] = [6 / 256, 12 / 256];
/** Fewest pixels to learn colours from. */
const FEWEST = 30;
/** Log-odds: the most that colours may say, what the change says per unit of it, and where that turns; what neighbours say. */
const [COLOURS_SAY, CHANGE_SAYS, TURNS, NEIGHBOURS_SAY] = [4, 3, 0.45, 6];
const LEARN_ROUNDS = 2;
const SMOOTH_ROUNDS = 2;
/** Window of the neighbourhood and of the object's edge, as shares of the height. */
const [NEIGHBOURHOOD, EDGE] = [3 / 256, 2 / 256];
/** Parts smaller than this share of the largest are specks. */
const SPECK = 0.05;

interface Seen {
  /** The photograph, `[n]` planes in 0..1 sRGB. */
  readonly planes: Planes;
  /** How much an edit changed it there, `[n]` in 0..1. */
  readonly change: Float32Array;
  readonly extent: Extent;
}

/**
 * What an edit changed, as the photograph's colours and edges have it, `[n]`, 1 inside: colour mixtures of inside and outside
 * learnt from the change (GrabCut, Rother et al. 2004), neighbours made to agree along edges by a guided filter in place of a
 * graph cut (mean field; Krähenbühl & Koltun 2011). None where nothing changed.
 */
export function changedObject({ planes, change, extent }: Seen): Float32Array | undefined {
  const moved = change.filter((value) => value > WAVERS).sort();
  if (moved.length < FEWEST) return undefined;
  const strong = moved[Math.trunc(STRONG_QUANTILE * (moved.length - 1))]!;
  const perhaps = change.map((value) => (value > MAYBE * strong ? 1 : 0));
  const maybe = maxWindow(perhaps, extent, Math.round(GROW * extent.height));
  // Nothing farther away is looked at, so only this much of the picture is worked on.
  const sigma = NEIGHBOURHOOD * extent.height;
  const around = Math.round(AROUND * extent.height);
  const bounds = paintedBounds(Uint8Array.from(maybe), extent)!;
  const box = grown(bounds, Math.max(around, 2 * Math.ceil(2 * sigma)) + 1, extent);
  const cut = (plane: Float32Array) => cropped(plane, extent, box);
  const seen = { planes: planes.map(cut) as unknown as Planes, change: cut(change), extent: box };
  const inside = learnt(seen, { maybe: cut(maybe), perhaps: cut(perhaps), strong, sigma, around });
  const result = new Float32Array(change.length);
  placeInto(result, extent, { box, values: withoutSpecks(inside, box) });
  return result;
}

interface Start {
  readonly maybe: Float32Array;
  readonly perhaps: Float32Array;
  readonly strong: number;
  readonly sigma: number;
  readonly around: number;
}

function learnt(seen: Seen, { maybe, perhaps, strong, sigma, around }: Start): Float32Array {
  const { planes, change, extent } = seen;
  const near = maxWindow(maybe, extent, around);
  const neighbours = new GuidedFilter(planes, { extent, sigma, epsilon: 1e-3 });
  let core = change.map((value) => (value > CORE * strong ? 1 : 0));
  let outside = perhaps;
  for (let round = 0; round < LEARN_ROUNDS; round++) {
    const odds = logOdds(seen, { core, outside, near, strong });
    if (!odds) break;
    core = agreed(neighbours, odds, maybe).map((share) => (share > 0.5 ? 1 : 0));
    outside = core;
  }
  return core;
}

/** How far a pixel of `box` is inside, as lines through the photograph's colours; drawn at any resolution. */
export function edgeOf(
  planes: Planes,
  inside: Float32Array,
  { extent, box }: { readonly extent: Extent; readonly box: Rect },
): GuidedLines {
  const sigma = EDGE * extent.height;
  const room = grown(box, Math.ceil(GUIDED_REACH * sigma) + 2, extent);
  const cut = (plane: Float32Array) => cropped(plane, extent, room);
  const filter = new GuidedFilter(planes.map(cut) as unknown as Planes, { extent: room, sigma, epsilon: 1e-5 });
  const within = { ...box, x: box.x - room.x, y: box.y - room.y };
  return filter.lines(cut(inside)).map((plane) => cropped(plane, room, within)) as unknown as GuidedLines;
}

function cropped(plane: Float32Array, { width }: Extent, box: Rect): Float32Array {
  const result = new Float32Array(box.width * box.height);
  for (let y = 0; y < box.height; y++) {
    const from = (box.y + y) * width + box.x;
    result.set(plane.subarray(from, from + box.width), y * box.width);
  }
  return result;
}

function placeInto(plane: Float32Array, { width }: Extent, { box, values }: { readonly box: Rect; readonly values: Float32Array }): void {
  for (let y = 0; y < box.height; y++) plane.set(values.subarray(y * box.width, (y + 1) * box.width), (box.y + y) * width + box.x);
}

interface Belief {
  readonly core: Float32Array;
  /** 1 where the surroundings are not to be learnt from. */
  readonly outside: Float32Array;
  readonly near: Float32Array;
  readonly strong: number;
}

function logOdds({ planes, change }: Seen, { core, outside, near, strong }: Belief): Float32Array | undefined {
  const [inner, outer]: [number[], number[]] = [[], []];
  for (let i = 0; i < core.length; i++) {
    if (core[i]! > 0) inner.push(i);
    if (near[i]! > 0 && outside[i] === 0) outer.push(i);
  }
  if (inner.length < FEWEST || outer.length < FEWEST) return undefined;
  const [object, ground] = [new ColourModel(planes, inner), new ColourModel(planes, outer)];
  return change.map((value, i) => {
    if (near[i] === 0) return 0;
    const colours = ground.cost(planes, i) - object.cost(planes, i);
    return Math.min(COLOURS_SAY, Math.max(-COLOURS_SAY, colours)) + CHANGE_SAYS * (value / strong - TURNS);
  });
}

/** Shares in 0..1 after neighbours of like colours have heard each other. */
function agreed(neighbours: GuidedFilter, odds: Float32Array, maybe: Float32Array): Float32Array {
  const share = (value: number, i: number) => (maybe[i] === 0 ? 0 : 1 / (1 + Math.exp(-value)));
  let shares = odds.map(share);
  for (let round = 0; round < SMOOTH_ROUNDS; round++) {
    const heard = neighbours.smoothed(shares);
    shares = odds.map((value, i) => share(value + NEIGHBOURS_SAY * (heard[i]! - 0.5), i));
  }
  return shares;
}

/** Keeps connected parts of a size that counts. */
function withoutSpecks(inside: Float32Array, extent: Extent): Float32Array {
  const { labels, sizes } = partsOf(inside, extent);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  return inside.map((_, i) => (labels[i]! > 0 && sizes[labels[i]!]! >= SPECK * largest ? 1 : 0));
}
