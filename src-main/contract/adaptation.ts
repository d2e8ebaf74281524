import * as v from 'valibot';
import type { Extent } from '#base/geometry.js';

export const SHARPENINGS = ['screen', 'print'] as const;
export const OUTPUT_PROFILES = ['srgb', 'p3'] as const;

const words = 'Expected a whole number from 1 to 65535 for longSide.';

/** What of a picture is changed for where it will be seen; absent members stay as they are. */
export const Adaptation = v.object({
  /** At most so many pixels on the longer side. */
  longSide: v.optional(v.pipe(v.number(words), v.integer(words), v.minValue(1, words), v.maxValue(0xffff, words))),
  sharpen: v.optional(v.picklist(SHARPENINGS)),
  profile: v.optional(v.picklist(OUTPUT_PROFILES)),
});
export type Adaptation = v.InferOutput<typeof Adaptation>;

/** The size of a picture that is made ready: never larger than it was. */
export function adaptedExtent({ width, height }: Extent, { longSide }: Pick<Adaptation, 'longSide'> = {}): Extent {
  const share = (longSide ?? Infinity) / Math.max(width, height);
  if (share >= 1) return { width, height };
  return { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) };
}
