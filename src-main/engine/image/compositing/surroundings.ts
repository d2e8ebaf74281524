import type { Rect } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { outside } from '#engine/image/working/mask.js';
import { fillMembrane } from './membrane.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { workingCopy, workingMask } from '#engine/image/working/working-copy.js';

/** Tones are matched over about this many model pixels; finer differences are texture, which must stay. */
const TONE_SIGMA = 2;
/** A cell that lies deeper than this in the hole says nothing of the original. */
const MOST_REPAINTED = 0.02;

interface Pasted {
  readonly photo: Photo;
  readonly frame: Rect;
  /** Decoded result, `[1, 3, h, w]` sRGB. */
  readonly after: FloatTensor;
  readonly weight: Mask;
  /** All that is original, where that is known; else it is what lies beside the weight. */
  readonly kept?: Rect;
}

/**
 * The decoded picture with its tones bent to meet the original's all around the hole: the low-frequency difference that is
 * seen outside is carried into it as a membrane (gradient-domain cloning, Pérez et al. 2003). `[1, 3, h, w]`
 */
export async function matchSurroundings(pasted: Pasted): Promise<FloatTensor> {
  const { photo, frame, after } = pasted;
  const [, , height = 0, width = 0] = after.dims;
  const extent = { width, height };
  const original = await workingCopy(photo, frame, extent);
  const known = knownShare(pasted);
  if (!known.some((share) => share > 0)) return after;
  const result = floats(after.dims, after.data.slice());
  const certainty = gaussian(known, extent, TONE_SIGMA);
  for (let c = 0; c < 3; c++) {
    const target = result.data.subarray(c * height * width, (c + 1) * height * width);
    const difference = target.map((value, i) => (original.data[c * height * width + i]! - value) * known[i]!);
    const smooth = gaussian(difference, extent, TONE_SIGMA).map((value, i) => (known[i]! > 0 ? value / certainty[i]! : 0));
    const membrane = fillMembrane(smooth, known, extent);
    for (let i = 0; i < target.length; i++) target[i]! += membrane[i]!;
  }
  return result;
}

/** 1 where a model pixel lies inside the photo and outside the hole. */
function knownShare({ photo, frame, after, weight, kept }: Pasted): Float32Array {
  const [, , height = 0, width = 0] = after.dims;
  const hole = workingMask(kept ? outside(kept, photo.extent) : withoutSoftEdge(weight), frame, { width, height });
  return hole.data.map((share, i) => {
    const x = frame.x + ((i % width) + 0.5) * (frame.width / width);
    const y = frame.y + (Math.trunc(i / width) + 0.5) * (frame.height / height);
    const inside = x >= 0 && y >= 0 && x < photo.extent.width && y < photo.extent.height;
    return inside && share <= MOST_REPAINTED ? 1 : 0;
  });
}

/** Where the weight is partial the original is still there to be compared with. */
function withoutSoftEdge({ extent, values }: Mask): Mask {
  return { extent, values: values.map((value) => (value === 255 ? 255 : 0)) };
}
