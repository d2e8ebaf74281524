import type { Extent, Rect } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { encodePng } from '#engine/image/files/encode.js';
import { frameWhole } from '#engine/image/working/frame.js';
import { openMask } from '#engine/image/working/mask.js';
import { viewWhole } from '#engine/image/working/whole-view.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { controlPlane, type ControlJob, type MapOrigin } from './control-input.js';
import { fittedTo, modelExtent, pictureBytes } from './model.js';
import { fitOf } from './pipelines.js';
import { openMap } from './ready-map.js';
import { partsOf } from './stage.js';

/** The picture that was looked at last, at the model's size: thresholds change often, photographs seldom. */
export class LastSeen {
  #key: string | undefined;
  #picture: Promise<FloatTensor> | undefined;

  get(key: string, make: () => Promise<FloatTensor>): Promise<FloatTensor> {
    if (this.#picture && this.#key === key) return this.#picture;
    this.#key = key;
    this.#picture = make();
    this.#picture.catch(() => (this.#key = undefined));
    return this.#picture;
  }
}

/**
 * The control map that a request asks for as the model sees it: a PNG of the model's size.
 *
 * @throws ExpectedError `request.invalid` without control or anything to make it of, `pack.unable` for packs without it.
 */
export async function previewControl(job: ControlJob, seen: LastSeen): Promise<Uint8Array> {
  const settings = job.request.control;
  if (!settings) throw new ExpectedError('request.invalid', 'Expected control settings but received none.');
  const fitted = { ...job, model: fittedTo(job.model, await fitOf(job)) };
  const plane = await controlPlane(fitted, settings, await originOf(fitted, seen));
  return encodePng(coloured(plane));
}

async function originOf(job: ControlJob, seen: LastSeen): Promise<MapOrigin> {
  const map = await openMap(job);
  if (!map) return { picture: await modelView(job, seen) };
  const canvas = map.photo.extent;
  return { ready: { map, place: { canvas, frame: await frameOf(job, canvas) } } };
}

/** What a run looks at first: the first part of the mask, or all of the picture. */
async function frameOf({ request, pictures, model }: ControlJob, canvas: Extent): Promise<Rect> {
  const size = modelExtent(model);
  const bytes = request.mask === undefined || request.task === 'expand' ? undefined : pictures[request.mask];
  if (!bytes) return frameWhole(canvas, size.width / size.height);
  const { mask } = await openMask(bytes, canvas);
  const [first] = partsOf(request, mask, size);
  return first?.frame ?? frameWhole(canvas, size.width / size.height);
}

function modelView(job: ControlJob, seen: LastSeen): Promise<FloatTensor> {
  const size = modelExtent(job.model);
  const bytes = pictureBytes(job, job.request.source, 'source');
  const { source = '', mask = '', blend = '' } = job.request;
  return seen.get(JSON.stringify([source, mask, blend, size]), async () => {
    if (mask === '' || job.request.task === 'expand') return (await viewWhole(bytes, { size }, job.views)).picture;
    const photo = await openPhoto(bytes);
    return workingCopy(photo, await frameOf(job, photo.extent), size);
  });
}

/** `[1, 1 or 3, S, S]` → `[1, 3, S, S]` */
function coloured({ dims, data }: FloatTensor): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = dims;
  if (channels === 3) return floats(dims, data);
  const picture = floats([1, 3, height, width]);
  for (let channel = 0; channel < 3; channel++) picture.data.set(data, channel * height * width);
  return picture;
}
