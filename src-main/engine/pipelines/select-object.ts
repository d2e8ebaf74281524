import { setImmediate } from 'node:timers/promises';
import type { Cancellation } from '#base/cancellation.js';
import { intersect, sampleCount, type Extent, type Rect } from '#base/geometry.js';
import { paintedBounds } from '#base/painted-bounds.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { Pointing } from '#contract/selection.js';
import { planesOf } from '#engine/image/colour/colour.js';
import { guesses, type Pointed } from '#engine/image/compositing/objects/guesses.js';
import { Likeness } from '#engine/image/compositing/objects/likeness.js';
import { regionGraph, type RegionGraph } from '#engine/image/compositing/objects/region-graph.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import type { DepthEstimator } from '#engine/tensor/predictor.js';
import { drawnObject } from './changed-object.js';

// n pixels of a look · s its superpixels

/** Pixels of the longer side at which an object is looked for, and of a superpixel. */
const [LOOK, STEP] = [320, 6];
/** A closer look at what lies around a click: a share of the longer side, where the photograph has that many pixels there. */
const [CLOSER, LEAST] = [1 / 3, 160];
/** Of the object's own size, so much of its surroundings is seen in the last look, which is worth it where it is so much closer. */
const [SURROUNDINGS, WORTH] = [0.4, 0.75];
/** Half of a superpixel inside the box, or inside what was found before, makes it one of them. */
const HALF = 0.5;

export interface Selection {
  readonly photo: Photo;
  readonly pointing: Pointing;
  readonly depth?: DepthEstimator | undefined;
}

/**
 * The object that was pointed at, with its soft edge, over all of the photograph. One click says little, so the picture is looked
 * at as a whole and closer, and the guess that is most like an object is taken; it is drawn from a look of its own size.
 *
 * @throws CancelledError between two guesses.
 */
export async function selectObject(selection: Selection, signal: Cancellation): Promise<Mask> {
  let best: Found | undefined;
  for (const frame of framesOf(selection)) {
    const look = await lookAt(selection, frame);
    const found = await bestOf(look, { pointed: pointedIn(look, selection.pointing), signal });
    if (found && (!best || found.likeness > best.likeness)) best = found;
  }
  if (!best) return { extent: selection.photo.extent, values: new Uint8Array(sampleCount(selection.photo.extent)) };
  const { look, inside } = (await closer(selection, best, signal)) ?? best;
  const pixels = Float32Array.from(look.graph.labels, (label) => inside[label]!);
  return drawnObject({
    inside: pixels,
    planes: look.graph.planes,
    place: { extent: look.graph.extent, frame: look.frame, canvas: selection.photo },
  });
}

interface Look {
  readonly frame: Rect;
  readonly graph: RegionGraph;
  /** Pixels of the look that all of the photograph would be. */
  readonly wholePixels: number;
}

interface Found {
  readonly look: Look;
  /** `[s]` */
  readonly inside: Uint8Array;
  readonly likeness: number;
}

function framesOf({ photo: { extent }, pointing }: Selection): readonly Rect[] {
  if ('box' in pointing) {
    const { width, height } = intersect(pointing.box, extent);
    return width > 0 && height > 0 ? [widened(pointing.box, extent)] : [];
  }
  const side = Math.round(CLOSER * Math.max(extent.width, extent.height));
  const start = (at: number, length: number): number => Math.round(Math.min(length, Math.max(0, at)) - side / 2);
  const corner = { x: start(pointing.at.x, extent.width), y: start(pointing.at.y, extent.height) };
  const near = intersect({ ...corner, width: side, height: side }, extent);
  return side >= LEAST ? [{ x: 0, y: 0, ...extent }, near] : [{ x: 0, y: 0, ...extent }];
}

function widened({ x, y, width, height }: Rect, extent: Extent): Rect {
  const room = Math.ceil(SURROUNDINGS * Math.max(width, height)) + 2;
  const [left, top] = [Math.floor(x) - room, Math.floor(y) - room];
  const [right, bottom] = [Math.ceil(x + width) + room, Math.ceil(y + height) + room];
  return intersect({ x: left, y: top, width: right - left, height: bottom - top }, extent);
}

async function lookAt({ photo, depth }: Selection, frame: Rect): Promise<Look> {
  const scale = LOOK / Math.max(frame.width, frame.height);
  const side = (length: number): number => Math.max(1, Math.round(length * scale));
  const extent = { width: side(frame.width), height: side(frame.height) };
  const picture = await workingCopy(photo, frame, extent);
  const map = depth && (await depth.estimate(picture)).data;
  const graph = regionGraph({ planes: planesOf(picture), extent, depth: map }, STEP);
  return { frame, graph, wholePixels: sampleCount(photo.extent) * scale * scale };
}

function pointedIn({ frame, graph }: Look, pointing: Pointing): Pointed {
  const across = graph.extent.width / frame.width;
  const down = graph.extent.height / frame.height;
  if ('at' in pointing) {
    const inside = (value: number, side: number): number => Math.min(side - 1, Math.max(0, Math.floor(value)));
    const x = inside((pointing.at.x - frame.x) * across, graph.extent.width);
    const y = inside((pointing.at.y - frame.y) * down, graph.extent.height);
    return { seed: graph.labels[y * graph.extent.width + x]! };
  }
  const { box } = pointing;
  const [left, top] = [(box.x - frame.x) * across, (box.y - frame.y) * down];
  const isIn = (i: number): boolean => {
    const [x, y] = [(i % graph.extent.width) + HALF, Math.trunc(i / graph.extent.width) + HALF];
    return x >= left && y >= top && x < left + box.width * across && y < top + box.height * down;
  };
  return { box: mostly(graph, isIn) };
}

/** The superpixels of which half the pixels are taken, `[s]`. */
function mostly({ labels, sizes }: RegionGraph, isIn: (pixel: number) => boolean): Uint8Array {
  const taken = new Float32Array(sizes.length);
  labels.forEach((label, i) => {
    if (isIn(i)) taken[label]!++;
  });
  return Uint8Array.from(taken, (count, v) => (count >= HALF * sizes[v]! ? 1 : 0));
}

interface Wanted {
  readonly pointed: Pointed;
  readonly signal: Cancellation;
}

async function bestOf(look: Look, { pointed, signal }: Wanted): Promise<Found | undefined> {
  const { graph, wholePixels } = look;
  const judge = new Likeness(graph);
  const at = middleOf(graph, pointed);
  let best: Found | undefined;
  for (const { inside } of guesses(graph, pointed)) {
    const likeness = judge.of({ inside, at, wholePixels });
    if (!best || likeness > best.likeness) best = { look, inside, likeness };
    // Whoever waits for this process hears of it, and it of a cancellation.
    await setImmediate();
    throwIfCancelled(signal);
  }
  return best;
}

function middleOf({ x, y }: RegionGraph, pointed: Pointed): readonly [number, number] {
  if ('seed' in pointed) return [x[pointed.seed]!, y[pointed.seed]!];
  const marked = 'box' in pointed ? pointed.box : pointed.start;
  const mean = (places: Float32Array): number => {
    const [sum, count] = places.reduce(([total, n], place, v) => (marked[v] === 1 ? [total + place, n + 1] : [total, n]), [0, 0]);
    return sum / Math.max(1, count);
  };
  return [mean(x), mean(y)];
}

/** The same object in a look of its own size; none where that would be no closer. */
async function closer(selection: Selection, { look, inside }: Found, signal: Cancellation): Promise<Found | undefined> {
  const { extent, labels } = look.graph;
  const found = Uint8Array.from(labels, (label) => inside[label]!);
  const bounds = paintedBounds(found, extent);
  if (!bounds) return undefined;
  const { frame } = look;
  const [across, down] = [frame.width / extent.width, frame.height / extent.height];
  const own = { x: frame.x + bounds.x * across, y: frame.y + bounds.y * down, width: bounds.width * across, height: bounds.height * down };
  const near = widened(own, selection.photo.extent);
  if (Math.max(near.width, near.height) > WORTH * Math.max(frame.width, frame.height)) return undefined;
  const nearer = await lookAt(selection, near);
  const isIn = (i: number): boolean => {
    const x = near.x + ((i % nearer.graph.extent.width) + HALF) * (near.width / nearer.graph.extent.width);
    const y = near.y + (Math.trunc(i / nearer.graph.extent.width) + HALF) * (near.height / nearer.graph.extent.height);
    const [column, row] = [Math.trunc((x - frame.x) / across), Math.trunc((y - frame.y) / down)];
    return column >= 0 && row >= 0 && column < extent.width && row < extent.height && found[row * extent.width + column] === 1;
  };
  return bestOf(nearer, { pointed: { start: mostly(nearer.graph, isIn) }, signal });
}
