import { planesOf, type ColourSpace, type Planes } from '#engine/image/colour/colour.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { applyMap, curvedMap, type ColourMap } from './colour-map.js';

// An edit is carried to a photo in the photo's own colours: what the model said in sRGB is converted at the model's size, once,
// and no pixel of the photo is ever converted. h, w model size · n samples

/** Colours that a map is fitted to, at most, and steps per channel of a grid through all colours that keeps it sane beside them. */
const [SAMPLES, GRID] = [4096, 7];

/** A picture `[1, 3, h, w]` of sRGB as the photo would say it. */
export function inOwnColours(picture: FloatTensor, space: ColourSpace): FloatTensor {
  if (space.plain) return picture;
  const own = floats(
    picture.dims,
    picture.data.map((value) => Math.min(1, Math.max(0, value))),
  );
  space.fromSrgb(planesOf(own));
  return own;
}

/**
 * What a map of sRGB does, as a map of the photo's own colours: fitted anew to what becomes of the colours of `seen`
 * (`[1, 3, h, w]` sRGB), and of a grid of all colours, because curves and primaries differ.
 */
export function mapOfOwnColours(map: ColourMap, seen: FloatTensor, space: ColourSpace): ColourMap {
  if (space.plain) return map;
  const before = colours(planesOf(inOwnColours(seen, space)));
  const source = copied(before);
  space.toSrgb(source);
  const after = copied(source);
  applyMap(map, source, after);
  after.forEach((plane, c) => {
    plane.forEach((value, i) => (plane[i] = withinOwn(value, source[c]![i]!)));
  });
  space.fromSrgb(after);
  return curvedMap(map, { before, after });
}

/** Colours that were outside sRGB before the edit may stay there. */
function withinOwn(value: number, own: number): number {
  return Math.min(Math.max(1, own), Math.max(Math.min(0, own), value));
}

function copied(planes: Planes): Planes {
  return planes.map((plane) => plane.slice()) as unknown as Planes;
}

function colours(planes: Planes): Planes {
  const stride = Math.max(1, Math.ceil(planes[0].length / SAMPLES));
  const count = Math.floor(planes[0].length / stride);
  return planes.map((plane, c) =>
    Float32Array.from({ length: count + GRID ** 3 }, (_, i) => (i < count ? plane[i * stride]! : gridColour(i - count, c))),
  ) as unknown as Planes;
}

function gridColour(i: number, channel: number): number {
  return (Math.trunc(i / GRID ** channel) % GRID) / (GRID - 1);
}
