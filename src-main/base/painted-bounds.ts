import { intersect, type Extent, type Rect } from './geometry.js';

/** The smallest rectangle that holds every value above 0 of a mask, or of a part of it; undefined where there is none. */
export function paintedBounds(values: Uint8Array, extent: Extent, within?: Rect): Rect | undefined {
  const part = within ? intersect(within, extent) : { x: 0, y: 0, ...extent };
  const right = part.x + part.width;
  // What lies between rows and columns that are known to be painted is not looked at: a large mask has millions of pixels.
  const firstOf = (y: number, end: number): number => {
    const start = y * extent.width;
    for (let x = part.x; x < end; x++) if (values[start + x]! > 0) return x;
    return end;
  };
  let [top, bottom] = [part.y, part.y + part.height - 1];
  while (top <= bottom && firstOf(top, right) === right) top++;
  if (top > bottom) return undefined;
  while (firstOf(bottom, right) === right) bottom--;
  let [first, last] = [right, part.x - 1];
  for (let y = top; y <= bottom; y++) {
    first = firstOf(y, first);
    const start = y * extent.width;
    let x = right - 1;
    while (x > last && values[start + x] === 0) x--;
    last = Math.max(last, x);
  }
  return { x: first, y: top, width: last - first + 1, height: bottom - top + 1 };
}
