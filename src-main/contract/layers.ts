import * as v from 'valibot';
import { PictureId } from './request.js';

const offset = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535)), 0);

/** A layer below those that follow it; what it shares with the picture below it is left out of it. */
const LayerWish = v.object({
  name: v.pipe(v.string(), v.maxLength(255)),
  picture: PictureId,
  /** White where the edit was allowed: goes along switched off, since soft edges reach beyond it. */
  mask: v.optional(PictureId),
  left: offset,
  top: offset,
  hidden: v.optional(v.boolean(), false),
});
export type LayerWish = v.InferInput<typeof LayerWish>;

/** A document as the layers of a Photoshop file, the lowest first. */
export const LayersWish = v.object({ layers: v.pipe(v.array(LayerWish), v.minLength(1), v.maxLength(500)) });
export type LayersWish = v.InferInput<typeof LayersWish>;
