import { sampleCount, type Extent } from '#base/geometry.js';

/** Connected parts (sides touch) of what is above 0, numbered from 1. */
export interface Parts {
  /** 0 = in none. */
  readonly labels: Int32Array;
  /** Pixels of each part; the first is of none. */
  readonly sizes: readonly number[];
}

export function partsOf(inside: ArrayLike<number>, extent: Extent): Parts {
  const labels = new Int32Array(sampleCount(extent));
  const sizes = [0];
  for (let start = 0; start < labels.length; start++) {
    if (inside[start] === 0 || labels[start]! > 0) continue;
    labels[start] = sizes.length;
    sizes.push(
      flood([start], extent, (next) => {
        if (inside[next] === 0 || labels[next]! > 0) return false;
        labels[next] = labels[start]!;
        return true;
      }),
    );
  }
  return { labels, sizes };
}

/** Walks from the given pixels to neighbours (sides touch) for as long as `enter` takes them; how many there were. */
export function flood(open: number[], { width, height }: Extent, enter: (pixel: number) => boolean): number {
  const pixels = width * height;
  let size = 0;
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    size++;
    const column = pixel % width;
    if (pixel >= width && enter(pixel - width)) open.push(pixel - width);
    if (pixel < pixels - width && enter(pixel + width)) open.push(pixel + width);
    if (column > 0 && enter(pixel - 1)) open.push(pixel - 1);
    if (column < width - 1 && enter(pixel + 1)) open.push(pixel + 1);
  }
  return size;
}
