import type { Extent } from '#base/geometry.js';
import { smoothStep } from '#base/smooth-step.js';
import type { BrushTip, Point } from '#contract/mask.js';

export interface Segment {
  readonly from: Point;
  readonly to: Point;
  readonly stroke: BrushTip;
}

/** What lies around a line, seen from where it begins. */
interface Around {
  readonly dx: number;
  readonly dy: number;
  readonly squaredLength: number;
  /** Where the line begins, from the centre of the mask's first pixel. */
  readonly left: number;
}

/** The first column of a row that is painted, and the last. */
type Columns = readonly [first: number, last: number];

/** Every pixel whose centre lies within the radius of the segment; a pen paints as wide as it is pressed at its end. */
export function paintSegment(mask: Uint8Array, { width, height }: Extent, { from, to, stroke }: Segment): void {
  const radiusPx = stroke.radiusPx * (to.pressure ?? 1);
  const corePx = radiusPx * (stroke.hardness ?? 1);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const around: Around = { dx, dy, squaredLength: dx * dx + dy * dy, left: from.x - 0.5 };
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radiusPx));
  const bottom = Math.min(height - 1, Math.ceil(Math.max(from.y, to.y) + radiusPx));
  for (let y = top; y <= bottom; y++) {
    const down = y + 0.5 - from.y;
    const all = clipped(columnsWithin(around, down, radiusPx), [0, width - 1]);
    if (!all) continue;
    const core = corePx === radiusPx ? all : clipped(columnsWithin(around, down, corePx), all);
    const row = mask.subarray(y * width, (y + 1) * width);
    if (core) row.fill(stroke.erase ? 0 : 255, core[0], core[1] + 1);
    for (const [first, last] of core ? besides(core, all) : [all]) {
      for (let x = first; x <= last; x++) {
        const distance = Math.sqrt(squaredDistance(around, x - around.left, down));
        const level = Math.round(255 * smoothStep((radiusPx - distance) / (radiusPx - corePx)));
        row[x] = stroke.erase ? Math.min(row[x]!, 255 - level) : Math.max(row[x]!, level);
      }
    }
  }
}

function clipped(columns: Columns | undefined, [first, last]: Columns): Columns | undefined {
  const part: Columns | undefined = columns && [Math.max(first, columns[0]), Math.min(last, columns[1])];
  return part && part[0] <= part[1] ? part : undefined;
}

function besides([coreFirst, coreLast]: Columns, [first, last]: Columns): readonly Columns[] {
  return [
    [first, coreFirst - 1],
    [coreLast + 1, last],
  ];
}

/**
 * What is within reach of a line is convex: of each row one stretch, whose ends are calculated, and set right by the
 * distance of the pixels themselves. To ask every pixel is felt where a brush is hundreds of them wide.
 */
function columnsWithin(around: Around, down: number, reach: number): Columns | undefined {
  const [from, to] = chordWithin(around, down, reach);
  if (from > to) return undefined;
  const isIn = (x: number): boolean => squaredDistance(around, x - around.left, down) <= reach * reach;
  let [first, last] = [Math.ceil(around.left + from), Math.floor(around.left + to)];
  while (isIn(first - 1)) first--;
  while (first <= last && !isIn(first)) first++;
  while (isIn(last + 1)) last++;
  while (first <= last && !isIn(last)) last--;
  return first <= last ? [first, last] : undefined;
}

/** The stretch of a row that lies in the discs around both ends or in the band between them. */
function chordWithin({ dx, dy, squaredLength }: Around, down: number, reach: number): readonly [from: number, to: number] {
  let [from, to] = [Infinity, -Infinity];
  const takeIn = (across: number): void => {
    [from, to] = [Math.min(from, across), Math.max(to, across)];
  };
  for (const end of [0, 1]) {
    const squared = reach * reach - (down - end * dy) ** 2;
    if (squared < 0) continue;
    takeIn(end * dx - Math.sqrt(squared));
    takeIn(end * dx + Math.sqrt(squared));
  }
  if (dy === 0) return [from, to];
  const length = Math.sqrt(squaredLength);
  for (const side of [-reach / length, reach / length]) {
    const along = (down - side * dx) / dy;
    if (along >= 0 && along <= 1) takeIn(along * dx - side * dy);
  }
  return [from, to];
}

/** Of a pixel's centre from the line. */
function squaredDistance({ dx, dy, squaredLength }: Around, across: number, down: number): number {
  const along = squaredLength === 0 ? 0 : Math.min(1, Math.max(0, (across * dx + down * dy) / squaredLength));
  return (across - along * dx) ** 2 + (down - along * dy) ** 2;
}
