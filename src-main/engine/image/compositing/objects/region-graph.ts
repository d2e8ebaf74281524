import { sampleCount, type Extent } from '#base/geometry.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { labOf } from './lab-planes.js';
import { superpixels } from './superpixels.js';

// n pixels · s superpixels · e pairs of neighbours

const SIGMA = 1;
/** How much a step from far to near weighs against one of colours, in units of Lab. */
const DEPTH_SAYS = 40;

/** A picture as superpixels and what lies between neighbours. */
export interface RegionGraph {
  readonly extent: Extent;
  /** The picture, `[n]` planes, and which superpixel each pixel is of. */
  readonly planes: Planes;
  readonly labels: Int32Array;
  readonly count: number;
  /** Pixels, mean colours and centres, `[s]`. */
  readonly sizes: Float32Array;
  readonly colours: Planes;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Pixels on the picture's border, `[s]`. */
  readonly onBorder: Float32Array;
  /** Both sides of each boundary, its length in pixels and how strong an edge it is in units of Lab, `[e]`. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly length: Float32Array;
  readonly contrast: Float32Array;
  /** Edges of superpixel v: `edges[first[v] … first[v + 1]]`. */
  readonly first: Int32Array;
  readonly edges: Int32Array;
}

interface Picture {
  readonly planes: Planes;
  readonly extent: Extent;
  /** 0 (far) … 1 (near), `[n]`. */
  readonly depth?: Float32Array | undefined;
}

export function regionGraph({ planes, extent, depth }: Picture, step: number): RegionGraph {
  const smooth = labOf(planes.map((plane) => gaussian(plane, extent, SIGMA)) as unknown as Planes);
  const { labels, count } = superpixels(smooth, extent, step);
  const mean = meansBy(labels, count);
  const lab = smooth.map(mean.of) as unknown as Planes;
  const pairs = boundariesOf({ labels, count, extent }, smooth, depth);
  const contrast = pairs.length.map((length, e) => {
    const [a, b] = [pairs.from[e]!, pairs.to[e]!];
    const colours = stepOf(lab, a, b);
    return (colours + pairs.step[e]! / length) / 2 + (DEPTH_SAYS * pairs.depthStep[e]!) / length;
  });
  const columns = Float32Array.from(labels, (_, i) => i % extent.width);
  const rows = Float32Array.from(labels, (_, i) => Math.trunc(i / extent.width));
  return {
    ...{ extent, planes, labels, count, contrast, sizes: mean.sizes },
    colours: planes.map(mean.of) as unknown as Planes,
    x: mean.of(columns),
    y: mean.of(rows),
    onBorder: borderOf(labels, count, extent),
    from: pairs.from,
    to: pairs.to,
    length: pairs.length,
    ...incidence(pairs, count),
  };
}

function meansBy(labels: Int32Array, count: number) {
  const sizes = new Float32Array(count);
  for (const label of labels) sizes[label]!++;
  const of = (plane: Float32Array): Float32Array => {
    const sums = new Float32Array(count);
    for (let i = 0; i < labels.length; i++) sums[labels[i]!]! += plane[i]!;
    return sums.map((sum, label) => sum / sizes[label]!);
  };
  return { sizes, of };
}

function borderOf(labels: Int32Array, count: number, { width, height }: Extent): Float32Array {
  const border = new Float32Array(count);
  for (let x = 0; x < width; x++) for (const y of [0, height - 1]) border[labels[y * width + x]!]!++;
  for (let y = 0; y < height; y++) for (const x of [0, width - 1]) border[labels[y * width + x]!]!++;
  return border;
}

interface Pairs {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly length: Float32Array;
  readonly step: Float32Array;
  readonly depthStep: Float32Array;
}

/** Along every boundary the steps of colours across it, three pixels wide, are added up. */
function boundariesOf({ labels, count, extent }: Labelled, lab: Planes, depth: Float32Array | undefined): Pairs {
  const { width } = extent;
  const numbers = new Map<number, number>();
  const pairs = { from: [], to: [], length: [], step: [], depthStep: [] } as Record<keyof Pairs, number[]>;
  const numberOf = (a: number, b: number): number => {
    const key = Math.min(a, b) * count + Math.max(a, b);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, pairs.from.length);
    pairs.from.push(Math.min(a, b));
    pairs.to.push(Math.max(a, b));
    for (const list of [pairs.length, pairs.step, pairs.depthStep]) list.push(0);
    return pairs.from.length - 1;
  };
  const meet = (i: number, j: number, reach: number): void => {
    if (labels[i] === labels[j]) return;
    const e = numberOf(labels[i]!, labels[j]!);
    const [before, behind] = [inRow(i - reach, i), inRow(j + reach, j)];
    pairs.length[e]!++;
    pairs.step[e]! += stepOf(lab, before, behind);
    if (depth) pairs.depthStep[e]! += Math.abs(depth[before]! - depth[behind]!);
  };
  /** A step further where that is in the picture. */
  const inRow = (further: number, here: number): number => {
    const isBeside = Math.abs(further - here) > 1 || Math.trunc(further / width) === Math.trunc(here / width);
    return further >= 0 && further < labels.length && isBeside ? further : here;
  };
  for (let i = 0; i < sampleCount(extent); i++) {
    if (i % width < width - 1) meet(i, i + 1, 1);
    if (i + width < labels.length) meet(i, i + width, width);
  }
  return {
    from: Int32Array.from(pairs.from),
    to: Int32Array.from(pairs.to),
    length: Float32Array.from(pairs.length),
    step: Float32Array.from(pairs.step),
    depthStep: Float32Array.from(pairs.depthStep),
  };
}

interface Labelled {
  readonly labels: Int32Array;
  readonly count: number;
  readonly extent: Extent;
}

function stepOf([l, a, b]: Planes, i: number, j: number): number {
  return Math.sqrt((l[i]! - l[j]!) ** 2 + (a[i]! - a[j]!) ** 2 + (b[i]! - b[j]!) ** 2);
}

function incidence({ from, to }: Pairs, count: number): Pick<RegionGraph, 'first' | 'edges'> {
  const first = new Int32Array(count + 1);
  for (let e = 0; e < from.length; e++) for (const v of [from[e]!, to[e]!]) first[v + 1]!++;
  for (let v = 0; v < count; v++) first[v + 1]! += first[v]!;
  const [free, edges] = [first.slice(), new Int32Array(2 * from.length)];
  for (let e = 0; e < from.length; e++) for (const v of [from[e]!, to[e]!]) edges[free[v]!++] = e;
  return { first, edges };
}
