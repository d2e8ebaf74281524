import type { Extent } from '#base/geometry.js';
import type { Area, MaskHistory, MaskStep, Point, Runs, Stroke } from '#contract/mask.js';
import { paintSegment } from './brush-segment.js';
import { featherMask, growMask } from './grow.js';

export const EMPTY_MASK: MaskHistory = { steps: [], length: 0 };

export function withStep(history: MaskHistory, step: MaskStep): MaskHistory {
  const steps = [...history.steps.slice(0, history.length), step];
  return { steps, length: steps.length };
}

export function undone(history: MaskHistory): MaskHistory {
  return { ...history, length: Math.max(0, history.length - 1) };
}

export function redone(history: MaskHistory): MaskHistory {
  return { ...history, length: Math.min(history.steps.length, history.length + 1) };
}

/** 255 where the picture is to be repainted, less in soft edges. */
export function rasterise(history: MaskHistory, extent: Extent): Uint8Array {
  const mask = new Uint8Array(extent.width * extent.height);
  for (const step of history.steps.slice(0, history.length)) applyStep(mask, extent, step);
  return mask;
}

/** Applies one more step to pixels that hold all steps before it. */
export function applyStep(mask: Uint8Array, extent: Extent, step: MaskStep): void {
  switch (step.kind) {
    case 'clear':
      mask.fill(0);
      break;
    case 'invert':
      invert(mask);
      break;
    case 'grow':
      growMask(mask, extent, step.px);
      break;
    case 'feather':
      featherMask(mask, extent, step.px);
      break;
    case 'runs':
      fillRuns(mask, step.runs);
      break;
    case 'set':
      mask.fill(0);
      fillRuns(mask, step.runs);
      break;
    case 'within':
      keepWithin(mask, step.runs);
      break;
    case 'area':
      fillArea(mask, extent, step.area);
      break;
    case 'stroke':
      paintStroke(mask, extent, step.stroke);
  }
}

/** Four pixels at a time, because a mask has as many as the picture. */
function invert(mask: Uint8Array): void {
  const words = mask.byteOffset % 4 === 0 ? new Uint32Array(mask.buffer, mask.byteOffset, mask.length >> 2) : new Uint32Array(0);
  for (let i = 0; i < words.length; i++) words[i] = ~words[i]!;
  for (let i = 4 * words.length; i < mask.length; i++) mask[i] = 255 - mask[i]!;
}

function paintStroke(mask: Uint8Array, extent: Extent, stroke: Stroke): void {
  stroke.points.forEach((point, i) => {
    paintSegment(mask, extent, { from: stroke.points[i - 1] ?? point, to: point, stroke });
  });
}

function fillRuns(mask: Uint8Array, { lengths, levels, erase }: Runs): void {
  let at = 0;
  lengths.forEach((length, i) => {
    const run = mask.subarray(at, at + length);
    if (i % 2 === 1) mark(run, levels?.[(i - 1) / 2] ?? 255, erase);
    at += length;
  });
}

/** Painted pixels keep at least what they have; erased ones lose at least so much. */
function mark(run: Uint8Array, level: number, erase: boolean): void {
  if (level === 255) run.fill(erase ? 0 : 255);
  else for (let i = 0; i < run.length; i++) run[i] = erase ? Math.min(run[i]!, 255 - level) : Math.max(run[i]!, level);
}

/** Of each pixel stays as much as the runs have of it. */
function keepWithin(mask: Uint8Array, { lengths, levels }: Runs): void {
  let at = 0;
  lengths.forEach((length, i) => {
    const run = mask.subarray(at, at + length);
    const level = i % 2 === 0 ? 0 : (levels?.[(i - 1) / 2] ?? 255);
    if (level === 0) run.fill(0);
    else if (level < 255) for (let j = 0; j < run.length; j++) run[j] = Math.min(run[j]!, level);
    at += length;
  });
  mask.fill(0, at);
}

/** How one mask changes another. */
export type Combining = 'add' | 'subtract' | 'intersect';

/** The pixels of a mask, without what they do to another one. */
export type PaintedRuns = Omit<Runs, 'erase'>;

/** The step that combines a mask with what is painted. */
export function combined(painted: PaintedRuns, how: Combining): MaskStep {
  const runs = { ...painted, erase: how === 'subtract' };
  return how === 'intersect' ? { kind: 'within', runs } : { kind: 'runs', runs };
}

/** The painted pixels of a mask, as a step names them. */
export function runsOf(mask: Uint8Array): PaintedRuns {
  const [lengths, levels]: [number[], number[]] = [[], []];
  for (let at = 0; at < mask.length;) {
    const painted = lengths.length % 2 === 1;
    const level = mask[at]!;
    let end = at;
    if (painted || level === 0) while (end < mask.length && mask[end] === level) end++;
    lengths.push(end - at);
    if (painted) levels.push(level);
    at = end;
  }
  return levels.every((level) => level === 255) ? { lengths } : { lengths, levels };
}

/** Every pixel whose centre lies inside the outline; where it crosses itself, an odd number of times around counts as inside. */
function fillArea(mask: Uint8Array, { width, height }: Extent, { points, erase }: Area): void {
  const value = erase ? 0 : 255;
  const top = Math.max(0, Math.floor(Math.min(...points.map(({ y }) => y))));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(...points.map(({ y }) => y))));
  for (let row = top; row <= bottom; row++) {
    const crossings = crossingsOf(points, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const left = Math.max(0, Math.ceil(crossings[i]! - 0.5));
      const right = Math.min(width - 1, Math.ceil(crossings[i + 1]! - 0.5) - 1);
      if (left <= right) mask.fill(value, row * width + left, row * width + right + 1);
    }
  }
}

/** Where the outline crosses the line at `y`, from left to right. */
function crossingsOf(points: readonly Point[], y: number): readonly number[] {
  const crossings: number[] = [];
  points.forEach((from, i) => {
    const to = points[(i + 1) % points.length]!;
    if (from.y <= y !== to.y <= y) crossings.push(from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x));
  });
  return crossings.sort((a, b) => a - b);
}

const ELLIPSE_POINTS = 96;

/** The outline of a shape dragged from one corner to the other; `even` makes squares and circles. */
export function outlineOf(
  shape: 'rectangle' | 'ellipse',
  corners: { readonly from: Point; readonly to: Point; readonly even: boolean },
): readonly Point[] {
  const { from, even } = corners;
  const to = even ? evenCorner(from, corners.to) : corners.to;
  if (shape === 'rectangle') return [from, { x: to.x, y: from.y }, to, { x: from.x, y: to.y }];
  const centre = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  return Array.from({ length: ELLIPSE_POINTS }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_POINTS;
    return { x: centre.x + ((to.x - from.x) / 2) * Math.cos(angle), y: centre.y + ((to.y - from.y) / 2) * Math.sin(angle) };
  });
}

function evenCorner(from: Point, to: Point): Point {
  const side = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
  return { x: from.x + Math.sign(to.x - from.x) * side, y: from.y + Math.sign(to.y - from.y) * side };
}

export function isEmpty(mask: Uint8Array): boolean {
  // Four pixels at a time, because a mask has as many as the picture.
  const aligned = mask.byteOffset % 4 === 0;
  const words = aligned ? new Uint32Array(mask.buffer, mask.byteOffset, mask.length >> 2) : [];
  for (const word of words) if (word > 0) return false;
  for (let i = 4 * words.length; i < mask.length; i++) if (mask[i]! > 0) return false;
  return true;
}
