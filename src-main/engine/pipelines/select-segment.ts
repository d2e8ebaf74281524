import type { Cancellation } from '#base/cancellation.js';
import { sampleCount } from '#base/geometry.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { Pointing } from '#contract/selection.js';
import { planesOf } from '#engine/image/colour/colour.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import type { Segmenter } from '#engine/tensor/predictor.js';
import { expectFinite, type FloatTensor } from '#engine/tensor/tensor.js';
import { drawnObject } from './changed-object.js';

export interface Segmentation {
  readonly photo: Photo;
  readonly pointing: Pointing;
  readonly model: Segmenter;
}

/** What a model has seen of a photograph: one look serves every click. */
interface Seen {
  readonly picture: FloatTensor;
  readonly features: FloatTensor;
}
const looks = new WeakMap<Segmenter, WeakMap<Photo, Seen>>();

/**
 * The object that was pointed at as a segmentation model sees it, drawn up to the photograph's own edges.
 *
 * @throws CancelledError between looking and asking.
 */
export async function selectSegment({ photo, pointing, model }: Segmentation, signal: Cancellation): Promise<Mask> {
  const seen = model.sizeFor(photo.extent);
  const { picture, features } = await lookAt(model, photo);
  throwIfCancelled(signal);
  const [across, down] = [seen.width / photo.extent.width, seen.height / photo.extent.height];
  const logits = expectFinite(await model.segment(features, scaled(pointing, across, down), seen), 'masks');
  throwIfCancelled(signal);
  const inside = new Float32Array(sampleCount(seen));
  logits.data.forEach((logit, i) => (inside[i] = logit > 0 ? 1 : 0));
  const frame = { x: 0, y: 0, ...photo.extent };
  return drawnObject({ inside, planes: planesOf(picture), place: { extent: seen, frame, canvas: photo } });
}

async function lookAt(model: Segmenter, photo: Photo): Promise<Seen> {
  const known = looks.get(model) ?? new WeakMap<Photo, Seen>();
  looks.set(model, known);
  const there = known.get(photo);
  if (there) return there;
  const picture = await workingCopy(photo, { x: 0, y: 0, ...photo.extent }, model.sizeFor(photo.extent));
  const seen = { picture, features: expectFinite(await model.look(picture), 'features') };
  known.set(photo, seen);
  return seen;
}

/** In pixels of what was seen. */
function scaled(pointing: Pointing, across: number, down: number): Pointing {
  if ('at' in pointing) return { at: { x: pointing.at.x * across, y: pointing.at.y * down } };
  const { x, y, width, height } = pointing.box;
  return { box: { x: x * across, y: y * down, width: width * across, height: height * down } };
}
