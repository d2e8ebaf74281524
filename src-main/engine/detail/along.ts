import { lightness, type Line } from './lines.js';
import { RADIUS, SOURCE, type Scale } from './scale.js';

/** On either side of a line, in pixels of the scale. */
const HALF_WIDTH = 2.5;
/** Of 255: a pixel that differs so much from what usually lies beside the line does not belong to it. */
const FOREIGN = 40;
/** A move is chosen from so many lengths, for it has to be whole pixels. */
const LENGTHS = 8;

/** A hole pixel, and the one that it is copied from. */
export interface Continued {
  readonly pixel: number;
  readonly source: number;
}

interface Found extends Continued {
  /** From the line, in pixels, negative on its darker side. */
  readonly away: number;
}

/**
 * Straight edges go first (structure before texture: Sun et al. 2005): what lies beside a line in the hole is copied from
 * as far beside it outside, moved along it, each half from its own end. `shrink` is finest pixels to a pixel of the scale.
 */
export function alongLines(scale: Scale, lines: readonly Line[], shrink: number): readonly Continued[] {
  const nearest = new Map<number, Found>();
  for (const line of lines) {
    for (const found of withoutForeign(scale, besideLine(scale, line, shrink))) {
      const other = nearest.get(found.pixel);
      if (!other || Math.abs(found.away) < Math.abs(other.away)) nearest.set(found.pixel, found);
    }
  }
  return [...nearest.values()];
}

function besideLine({ box, extent, state }: Scale, line: Line, shrink: number): readonly Found[] {
  const [nx, ny] = line.normal;
  const offset = line.offset / shrink - (nx + ny) / 2;
  const [from, to] = [line.from, line.to].map((along) => along / shrink - (nx - ny) / 2) as [number, number];
  const middle = (from + to) / 2;
  const [back, ahead] = [moveAlong(line.normal, from - middle), moveAlong(line.normal, to - middle)];
  const found: Found[] = [];
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) {
      const [away, along] = [x * nx + y * ny - offset, y * nx - x * ny];
      if (Math.abs(away) >= HALF_WIDTH || along < from - RADIUS || along > to + RADIUS) continue;
      const move = along < middle ? back : ahead;
      const [u, v] = [x + move[0], y + move[1]];
      const source = v * extent.width + u;
      const isSource = u >= 0 && v >= 0 && u < extent.width && v < extent.height && (state[source]! & SOURCE) !== 0;
      if (isSource) found.push({ pixel: y * extent.width + x, source, away });
    }
  }
  return found;
}

/** The whole move along a line, at least `least` and half a patch, that stays nearest to it. */
function moveAlong([nx, ny]: Line['normal'], least: number): readonly [number, number] {
  const moves = Array.from({ length: LENGTHS }, (_, k) => {
    const along = least + Math.sign(least) * (2 * RADIUS + 1 + k);
    return [Math.round(-along * ny), Math.round(along * nx)] as const;
  });
  const off = ([x, y]: readonly [number, number]) => Math.abs(x * nx + y * ny);
  return moves.reduce((best, move) => (off(move) < off(best) ? move : best));
}

/** What crosses the line where it would be copied from, another beam or a boat before the horizon, is left to the peeling. */
function withoutForeign({ planes }: Scale, found: readonly Found[]): readonly Found[] {
  const lights = new Map<number, number[]>();
  for (const { source, away } of found) {
    const beside = Math.round(away);
    const values = lights.get(beside) ?? [];
    values.push(lightness(planes, source));
    lights.set(beside, values);
  }
  const usual = new Map([...lights].map(([beside, values]) => [beside, values.sort((a, b) => a - b)[values.length >> 1]!]));
  return found.filter(({ source, away }) => Math.abs(lightness(planes, source) - usual.get(Math.round(away))!) <= FOREIGN);
}
