import type { Extent } from '#base/geometry.js';
import { luma } from '#base/luma.js';
import type { Planes } from '#engine/image/colour/colour.js';
import { gaussian, maxWindow } from '#engine/image/sampling/gauss.js';
import { flood } from './parts.js';

/** A shadow's light rises by this share where it goes; below that light, of 1, shares are noise. */
const [RISES, DARKEST] = [0.05, 0.12];
const SIGMA = 1;
/** How far from the object a shadow is looked for, as a share of the height, and how near to it one begins, in pixels. */
const [REACH, TOUCHES] = [0.12, 2];

interface Decoded {
  /** The picture before and after, as the tokenizer holds it, `[n]` planes. */
  readonly before: Planes;
  readonly after: Planes;
  /** 1 where the model was free to change it, `[n]`. */
  readonly free: Float32Array;
  readonly extent: Extent;
}

/** The shadow that a model took away with an object: what became lighter and is connected to it. 1 = shadow or object, `[n]`. */
export function withShadow(inside: Float32Array, { before, after, free, extent }: Decoded): Float32Array {
  const [old, now] = [lightOf(before, extent), lightOf(after, extent)];
  const reach = maxWindow(inside, extent, Math.round(REACH * extent.height));
  const touching = maxWindow(inside, extent, TOUCHES);
  const result = inside.slice();
  const isShadow = (i: number) => free[i]! > 0 && reach[i]! > 0 && now[i]! - old[i]! > RISES * Math.max(DARKEST, old[i]!);
  const enter = (i: number) => {
    if (result[i]! > 0 || !isShadow(i)) return false;
    result[i] = 1;
    return true;
  };
  const first = Array.from(touching.keys()).filter((i) => touching[i]! > 0 && enter(i));
  flood(first, extent, enter);
  return result;
}

function lightOf([red, green, blue]: Planes, extent: Extent): Float32Array {
  return gaussian(
    red.map((value, i) => luma(value, green[i]!, blue[i]!)),
    extent,
    SIGMA,
  );
}
