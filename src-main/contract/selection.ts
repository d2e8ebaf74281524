import * as v from 'valibot';
import { PictureId } from './request.js';

const place = v.pipe(v.number(), v.finite());
const side = v.pipe(v.number(), v.finite(), v.minValue(1));

/** Where an object is pointed at, in pixels of the picture: at a place in it, or by a box around it. */
export const Pointing = v.union([
  v.strictObject({ at: v.object({ x: place, y: place }) }),
  v.strictObject({ box: v.object({ x: place, y: place, width: side, height: side }) }),
]);
export type Pointing = Readonly<v.InferOutput<typeof Pointing>>;

/** Which object of a picture is wanted. */
export const SelectWish = v.object({
  source: PictureId,
  pointing: Pointing,
});
export type SelectWish = v.InferOutput<typeof SelectWish>;
export type SelectWishInput = v.InferInput<typeof SelectWish>;
