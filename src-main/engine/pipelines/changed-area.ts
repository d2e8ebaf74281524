import { at } from '#base/assert.js';
import type { Extent, Rect } from '#base/geometry.js';
import { changedRegion, upsampleMap } from '../image/composite.js';
import { fullMask } from '../image/mask.js';
import type { Mask } from '../image/photo.js';
import { widenByOneToken } from '../sampling/keep-mask.js';
import type { BitwiseQuantiser, ScaleBits } from '../sampling/quantiser.js';
import { floats, type FloatTensor } from '../tensor/tensor.js';

// h, w finest token grid · l = h·w

/** Above this share of changed tokens an edit counts as one of the whole picture (light, colour). */
const WHOLE_PICTURE = 0.6;
/** A token counts as changed when at least this share of its bits differs from the source's. */
const CHANGED_BITS = 0.25;

export interface EditTrace {
  readonly quantiser: BitwiseQuantiser;
  readonly bits: readonly ScaleBits[];
  readonly sourceBits: readonly ScaleBits[];
  /** Copy-gate logits of the finest scale that ran, `[l]`. */
  readonly gate?: FloatTensor;
  /** Decoded pictures, `[1, 3, S, S]`. */
  readonly before: FloatTensor;
  readonly after: FloatTensor;
}

/**
 * Where an unmasked edit may touch the canvas: the tokens that the model changed (the pack's edit
 * map where it has a copy gate, differing bits elsewhere), refined by what differs once decoded.
 */
export function changedArea(trace: EditTrace, frame: Rect, canvas: Extent): Mask {
  const map = editedTokens(trace);
  const share = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
  if (share >= WHOLE_PICTURE) return fullMask(canvas);
  const tokens = upsampleMap(widenByOneToken(map, 1), frame, canvas);
  const pixels = upsampleMap(changedRegion(trace, {}), frame, canvas);
  return { extent: canvas, values: tokens.values.map((value, i) => Math.min(value, pixels.values[i]!)) };
}

/** 1 where a token of the finest scale was edited, `[1, h, w]`. */
export function editedTokens({ quantiser, bits, sourceBits, gate }: EditTrace): FloatTensor {
  const scale = bits.length - 1;
  const map = floats([1, ...at(quantiser.schedule, scale)]);
  const size = quantiser.tokenBits;
  for (let token = 0; token < map.data.length; token++) {
    const edited = gate ? gate.data[token]! < 0 : differing(at(bits, scale), at(sourceBits, scale), { token, size }) >= CHANGED_BITS;
    map.data[token] = edited ? 1 : 0;
  }
  return map;
}

function differing(a: ScaleBits, b: ScaleBits, { token, size }: { token: number; size: number }): number {
  let count = 0;
  for (let i = token * size; i < (token + 1) * size; i++) count += a[i] === b[i] ? 0 : 1;
  return count / size;
}
