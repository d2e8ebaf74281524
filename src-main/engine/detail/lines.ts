import { CHANNELS, HOLE, type Scale } from './scale.js';

/** A straight edge through the hole, in pixels of the finest scale: x·normal[0] + y·normal[1] = offset. */
export interface Line {
  /** Towards the brighter side. */
  readonly normal: Way;
  readonly offset: number;
  /** Its part in the hole: first and last place along it, which grow towards (−normal[1], normal[0]). */
  readonly from: number;
  readonly to: number;
}

type Way = readonly [number, number];

/** Lines are looked for at the finest scale whose hole is at most so long. */
const LONGEST_PX = 96;
/** Of 255 per pixel: from here on a slope has a say in where lines run, and so much of it at most. */
const [STEP, MOST_STEP] = [10, 40];
/** A line's own slopes may be so much weaker here and there, and lack on so much of its length. */
const [WEAKER, SEEN] = [0.7, 0.85];
/** An edge has to be seen so far from the hole, in pixels, and as far as half of what lies in the hole. */
const LEAST_SEEN_PX = 12;
/** The hole's own border is left out, and so are slopes that its pixels had a share in. */
const BESIDE_PX = 2;
const [MOST_LINES, MOST_TRIED] = [12, 64];
const ANGLES = 512;
const TURN = (2 * Math.PI) / ANGLES;
/** A slope votes for so many angles on either side of its own. */
const SPREAD = 5;
/** A line is refined by so many steps each way: a third of an angle, a quarter of a pixel. */
const [REFINED, FINER_TURN, FINER_PX] = [6, TURN / 3, 1 / 4];
/** Before that, a line shows so much of its slopes at least. */
const UNREFINED = 0.4;
/** Nearer ones are one line. */
const [ALIKE_SINE, ALIKE_PX] = [0.12, 3];

interface Slopes {
  readonly scale: Scale;
  readonly across: Float32Array;
  readonly down: Float32Array;
}

/** In pixels of its scale. */
interface Candidate {
  readonly normal: Way;
  readonly offset: number;
}

interface Span {
  /** In the window. */
  readonly start: number;
  readonly end: number;
  /** In the hole. */
  readonly from: number;
  readonly to: number;
}

/** Which of the scales, fine to coarse, shows lines best: coarser ones have them to the pixel only. */
export function scaleOfLines(scales: readonly Scale[]): number {
  const found = scales.findIndex(({ box }) => Math.max(box.width, box.height) <= LONGEST_PX);
  return found < 0 ? scales.length - 1 : found;
}

/**
 * The strongest straight edges that run into the hole and come out of it again: Hough's vote (Duda and Hart 1972) of slopes
 * near their own directions. `halvings` is how much coarser the scale is than the finest.
 */
export function findLines(scale: Scale, halvings: number): readonly Line[] {
  const slopes = slopesOf(scale);
  const found: Candidate[] = [];
  const lines: Line[] = [];
  for (const voted of votedLines(slopes)) {
    if (lines.length === MOST_LINES) break;
    if (found.some((other) => areAlike(other, voted))) continue;
    const candidate = refined(slopes, voted);
    const span = candidate && spanOf(scale, candidate);
    if (!span || found.some((other) => areAlike(other, candidate)) || !isSeen(slopes, candidate, span)) continue;
    found.push(candidate);
    lines.push(lineOf(candidate, span, 2 ** halvings));
  }
  return lines;
}

function areAlike(a: Candidate, b: Candidate): boolean {
  const [cosine, sine] = [a.normal[0] * b.normal[0] + a.normal[1] * b.normal[1], a.normal[0] * b.normal[1] - a.normal[1] * b.normal[0]];
  return cosine > 0 && Math.abs(sine) < ALIKE_SINE && Math.abs(a.offset - b.offset) < ALIKE_PX;
}

function towards(angle: number): Way {
  return [Math.cos(angle), Math.sin(angle)];
}

/** The middle of pixel 0 lies at 0 in a scale's own pixels, and at half a pixel in the finest scale's. */
function lineOf({ normal, offset }: Candidate, { from, to }: Span, by: number): Line {
  const [nx, ny] = normal;
  const half = (nx + ny) / 2;
  const halfAlong = (nx - ny) / 2;
  return { normal, offset: (offset + half) * by, from: (from + halfAlong) * by, to: (to + halfAlong) * by };
}

/** Of the lightness, per pixel; 0 next to the hole. */
function slopesOf(scale: Scale): Slopes {
  const { extent, planes, state } = scale;
  const { width, height } = extent;
  const light = Float32Array.from(state, (_, i) => lightness(planes, i));
  const [across, down] = [new Float32Array(light.length), new Float32Array(light.length)];
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, i = y * width + 1; x < width - 1; x++, i++) {
      let bits = 0;
      for (let at = i - width; at <= i + width; at += width) bits |= state[at - 1]! | state[at]! | state[at + 1]!;
      if (bits & HOLE) continue;
      const [a, b, c, d] = [light[i - width - 1]!, light[i - width + 1]!, light[i + width - 1]!, light[i + width + 1]!];
      across[i] = (b + d - a - c + 2 * (light[i + 1]! - light[i - 1]!)) / 8;
      down[i] = (c + d - a - b + 2 * (light[i + width]! - light[i - width]!)) / 8;
    }
  }
  return { scale, across, down };
}

export function lightness(planes: Uint8Array, pixel: number): number {
  const at = pixel * CHANNELS;
  return (77 * planes[at]! + 150 * planes[at + 1]! + 29 * planes[at + 2]!) / 256;
}

/** Lines through the hole's box, the most voted for first. */
function votedLines(slopes: Slopes): readonly Candidate[] {
  const { box } = slopes.scale;
  const middle = [box.x + box.width / 2, box.y + box.height / 2] as const;
  const reach = Math.ceil(Math.hypot(box.width, box.height) / 2);
  const offsets = 2 * reach + 1;
  const votes = countVotes(slopes, { middle, reach });
  const found: (Candidate & { readonly votes: number })[] = [];
  for (let a = 0; a < ANGLES; a++) {
    const normal = towards(a * TURN);
    const shift = middle[0] * normal[0] + middle[1] * normal[1] - reach;
    for (let r = 1; r < offsets - 1; r++) {
      const own = votes[a * offsets + r]!;
      if (own >= STEP * LEAST_SEEN_PX && isPeak(votes, offsets, a * offsets + r)) found.push({ normal, offset: r + shift, votes: own });
    }
  }
  return found.sort((a, b) => b.votes - a.votes).slice(0, MOST_TRIED);
}

/** Votes by angle and offset from the box's middle, which is `reach`. */
function countVotes({ scale, across, down }: Slopes, { middle, reach }: { readonly middle: Way; readonly reach: number }): Float32Array {
  const offsets = 2 * reach + 1;
  const votes = new Float32Array(ANGLES * offsets);
  const normals = Array.from({ length: ANGLES }, (_, a) => towards(a * TURN));
  const { width } = scale.extent;
  for (let i = 0; i < across.length; i++) {
    const size = Math.hypot(across[i]!, down[i]!);
    if (size < STEP) continue;
    const [x, y] = [(i % width) - middle[0], Math.trunc(i / width) - middle[1]];
    const own = Math.round(Math.atan2(down[i]!, across[i]!) / TURN);
    for (let k = own - SPREAD; k <= own + SPREAD; k++) {
      const a = (k + ANGLES) % ANGLES;
      const [nx, ny] = normals[a]!;
      const r = Math.round(x * nx + y * ny) + reach;
      if (r >= 0 && r < offsets) votes[a * offsets + r]! += Math.min(size, MOST_STEP);
    }
  }
  return votes;
}

/** Whether no neighbour has more votes; of equals the first one has it. */
function isPeak(votes: Float32Array, offsets: number, at: number): boolean {
  const own = votes[at]!;
  for (let da = -2; da <= 2; da++) {
    for (let dr = -1; dr <= 1; dr++) {
      const step = da * offsets + dr;
      const other = votes[(at + step + votes.length) % votes.length]!;
      if (other > own || (other === own && step < 0)) return false;
    }
  }
  return true;
}

/** Turned and moved a little, so that the slopes beside the hole are largest; undefined where it misses the hole or is not seen. */
function refined(slopes: Slopes, voted: Candidate): Candidate | undefined {
  const span = spanOf(slopes.scale, voted);
  if (!span || strengthOf(slopes, voted, span) < UNREFINED * 2 * seenLength(span) * SEEN * WEAKER * STEP) return undefined;
  const [x, y] = placeOn(voted, (span.from + span.to) / 2);
  const angle = Math.atan2(voted.normal[1], voted.normal[0]);
  let best = voted;
  let most = Number.NEGATIVE_INFINITY;
  for (let a = -REFINED; a <= REFINED; a++) {
    const normal = towards(angle + a * FINER_TURN);
    for (let r = -REFINED; r <= REFINED; r++) {
      const tried = { normal, offset: x * normal[0] + y * normal[1] + r * FINER_PX };
      const strength = strengthOf(slopes, tried, span);
      if (strength > most) [best, most] = [tried, strength];
    }
  }
  return best;
}

function strengthOf(slopes: Slopes, line: Candidate, { from, to }: Span): number {
  let total = 0;
  for (let k = BESIDE_PX, end = BESIDE_PX + seenLength({ from, to }); k < end; k++) {
    total += Math.min(MOST_STEP, slopeAt(slopes, line, from - k)) + Math.min(MOST_STEP, slopeAt(slopes, line, to + k));
  }
  return total;
}

function seenLength({ from, to }: Pick<Span, 'from' | 'to'>): number {
  return Math.max(LEAST_SEEN_PX, Math.ceil((to - from) / 2) + BESIDE_PX);
}

/** On both sides of the hole. */
function isSeen(slopes: Slopes, line: Candidate, span: Span): boolean {
  return (
    isSeenFrom(slopes, line, { at: span.from, step: -1, room: span.from - span.start, length: seenLength(span) }) &&
    isSeenFrom(slopes, line, { at: span.to, step: 1, room: span.end - span.to, length: seenLength(span) })
  );
}

interface Beside {
  readonly at: number;
  readonly step: number;
  readonly room: number;
  readonly length: number;
}

function isSeenFrom(slopes: Slopes, line: Candidate, { at, step, room, length }: Beside): boolean {
  const count = Math.min(length, room - BESIDE_PX - 1);
  if (count < LEAST_SEEN_PX) return false;
  let seen = 0;
  for (let k = BESIDE_PX; k < BESIDE_PX + count; k++) if (slopeAt(slopes, line, at + step * k) >= WEAKER * STEP) seen++;
  return seen >= SEEN * count;
}

function placeOn({ normal: [nx, ny], offset }: Candidate, along: number): Way {
  return [offset * nx - along * ny, offset * ny + along * nx];
}

/** The slope across a line at a place along it; 0 where nothing is known. */
function slopeAt({ scale, across, down }: Slopes, line: Candidate, along: number): number {
  const { width, height } = scale.extent;
  const [x, y] = placeOn(line, along);
  const [left, top] = [Math.floor(x), Math.floor(y)];
  if (left < 0 || top < 0 || left >= width - 1 || top >= height - 1) return 0;
  const [nx, ny] = line.normal;
  const [u, v] = [x - left, y - top];
  const slope = (i: number) => across[i]! * nx + down[i]! * ny;
  const i = top * width + left;
  return (1 - v) * ((1 - u) * slope(i) + u * slope(i + 1)) + v * ((1 - u) * slope(i + width) + u * slope(i + width + 1));
}

/** Where a line lies in the window and, of that, in the hole. */
function spanOf({ extent, state, box }: Scale, line: Candidate): Span | undefined {
  const { width, height } = extent;
  const long = Math.ceil(Math.hypot(width, height));
  let [start, end, from, to] = [long, -long, long, -long];
  for (let along = -long; along <= long; along++) {
    const place = placeOn(line, along);
    const [x, y] = [Math.round(place[0]), Math.round(place[1])];
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    start = Math.min(start, along);
    end = along;
    const isInBox = x >= box.x && y >= box.y && x < box.x + box.width && y < box.y + box.height;
    if (!isInBox || !(state[y * width + x]! & HOLE)) continue;
    from = Math.min(from, along);
    to = along;
  }
  return to > from ? { start, end, from, to } : undefined;
}
