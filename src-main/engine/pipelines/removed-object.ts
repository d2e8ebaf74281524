import { sampleCount } from '#base/geometry.js';
import { pairsOf } from '#engine/image/compositing/explains.js';
import { remainsOf } from '#engine/image/compositing/objects/gone.js';
import { partsOf } from '#engine/image/compositing/objects/parts.js';
import { withShadow } from '#engine/image/compositing/objects/shadow.js';
import { upsampleRegion } from '#engine/image/compositing/composite.js';
import type { Mask } from '#engine/image/files/photo.js';
import { dilate } from '#engine/image/working/mask.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { drawnObject, freeOf, modelShare, regionOf, type FoundObject } from './changed-object.js';
import type { Wording } from './wording.js';

/**
 * An object of which less remains is gone; more may remain of one that was asked away in words, for models leave traces, and
 * less of one that was to have another colour, for that may be its ground's.
 */
const GONE = { shown: 0.5, away: 0.9, colour: 0.2, for: 0.5 } as const;
/** At least this share of what changed has to be gone. */
const MOSTLY = 0.5;
/** Pixels of the picture on which objects are looked for by which a removed one is grown: its own edge is soft. */
const GROWTH = 1;
const SHOWS = 96;

/**
 * What an edit took away: the parts of the changed object that became what lies around them, and their shadows, at the
 * photograph's full resolution. None where it is still there.
 */
export async function removedArea(found: FoundObject, wording: Wording | undefined): Promise<Mask | undefined> {
  const { inside, place, trace } = found;
  const { extent, frame, canvas } = place;
  const gone = goneParts(found, GONE[wording ?? 'shown']);
  const count = (pixels: Float32Array) => pixels.reduce((sum, value) => sum + value, 0);
  if (count(gone) < MOSTLY * count(inside)) return undefined;
  const drawn = await drawnObject({ ...found, inside: gone });
  const shadow = upsampleRegion(shadowed(gone, found), frame, canvas.extent);
  const values = new Uint8Array(sampleCount(canvas.extent));
  for (let i = 0; i < values.length; i++) values[i] = Math.max(drawn.values[i]!, shadow.values[i]!) > SHOWS ? 255 : 0;
  const [, , height = 0] = trace.before.dims;
  return dilate({ extent: canvas.extent, values }, Math.ceil((GROWTH * frame.height) / Math.max(height, extent.height)));
}

/** Parts too small to be judged go with the rest. */
function goneParts({ inside, place: { extent }, trace }: FoundObject, most: number): Float32Array {
  const [, , height = 0, width = 0] = trace.before.dims;
  const { labels, sizes } = partsOf(inside, extent);
  const isGone = sizes.map((_, part) => {
    if (part === 0) return false;
    const share = modelShare(
      inside.map((_value, i) => (labels[i] === part ? 1 : 0)),
      extent,
      trace,
    );
    const region = regionOf(share, { width, height });
    return region.pixels.length === 0 || remainsOf(pairsOf(trace), region) < most;
  });
  return inside.map((_, i) => (isGone[labels[i]!] ? 1 : 0));
}

/** `[1, h, w]` */
function shadowed(gone: Float32Array, { place: { extent }, trace }: FoundObject): FloatTensor {
  const [, , height = 0, width = 0] = trace.before.dims;
  const free = freeOf(trace);
  const inside = modelShare(gone, extent, trace).map((value) => (value > 0.5 ? 1 : 0));
  return floats([1, height, width], withShadow(inside, { ...pairsOf(trace), free, extent: { width, height } }));
}
