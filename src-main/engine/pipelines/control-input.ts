import { ExpectedError } from '#contract/errors.js';
import type { ControlSettings } from '#contract/request.js';
import { modelCanny } from '#engine/control/canny.js';
import { invertMap, stretchMap } from '#engine/control/depth.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { frameWhole } from '#engine/image/working/frame.js';
import { workingCopy } from '#engine/image/working/working-copy.js';
import type { ControlInput } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { modelExtent, traitsOf, type PipelineJob } from './model.js';

/** What a control map follows from. */
export type ControlJob = Pick<PipelineJob, 'request' | 'pictures' | 'model'>;

// S model picture side · n control channels of the pack

const FLAG = '-flag';

/** The control of a request, ready for the model; undefined where it would change nothing. */
export async function controlInput(job: PipelineJob, picture: FloatTensor | undefined): Promise<ControlInput | undefined> {
  const settings = job.request.control;
  if (!settings) return undefined;
  const channels = traitsOf(job.model.card).control;
  if (!channels) throw new ExpectedError('pack.unable', `Expected a pack with spatial control but "${job.model.card.name}" has none.`);
  if (!channels.includes(settings.kind)) {
    const held = channels.filter((channel) => !channel.endsWith(FLAG)).join(' or ');
    throw new ExpectedError('pack.unable', `Expected ${held} for the pack "${job.model.card.name}" but received ${settings.kind}.`);
  }
  // Strength 0 must equal no control to the last bit, so nothing is added at all.
  if (settings.strength === 0) return undefined;
  const plane = await controlPlane(job, settings, picture);
  const map = inChannels(plane, channels, settings.kind);
  return { map, strength: settings.strength, fromScale: settings.fromScale - 1, toScale: settings.toScale - 1 };
}

/** The control map as the model sees it, `[1, 1, S, S]`; `picture` is the model's view of the source. */
export async function controlPlane(job: ControlJob, settings: ControlSettings, picture: FloatTensor | undefined): Promise<FloatTensor> {
  if (settings.map !== undefined) return readyMap(job, settings);
  if (!picture) throw new ExpectedError('request.invalid', 'Expected a source picture or a control map but received neither.');
  const plane = await estimateMap(job, settings, picture);
  return settings.invert ? invertMap(plane) : plane;
}

async function readyMap(job: ControlJob, settings: ControlSettings): Promise<FloatTensor> {
  const bytes = settings.map === undefined ? undefined : job.pictures[settings.map];
  if (!bytes) throw new ExpectedError('request.invalid', 'Expected a control map picture but received none.');
  const photo = await openPhoto(bytes);
  const size = modelExtent(job.model);
  const copy = await workingCopy(photo, frameWhole(photo.extent, size.width / size.height), size);
  const plane = brightness(copy);
  return settings.invert ? invertMap(plane) : plane;
}

/** Edges or depth of the model's own view of a picture, `[1, 1, S, S]`. */
export async function estimateMap(job: Pick<ControlJob, 'model'>, settings: ControlSettings, picture: FloatTensor): Promise<FloatTensor> {
  if (settings.kind === 'canny') return modelCanny(picture, settings);
  if (settings.kind !== 'depth') throw new ExpectedError('request.invalid', `Expected a ready map for ${settings.kind} but received none.`);
  if (!job.model.depth)
    throw new ExpectedError('pack.unable', `Expected a pack with a depth estimator but "${job.model.card.name}" has none.`);
  return stretchMap(await job.model.depth.estimate(picture), settings);
}

function brightness(picture: FloatTensor): FloatTensor {
  const [, , height = 0, width = 0] = picture.dims;
  const pixels = height * width;
  const [red, green, blue] = [0, 1, 2].map((channel) => picture.data.subarray(channel * pixels, (channel + 1) * pixels));
  return floats(
    [1, 1, height, width],
    red!.map((value, i) => 0.299 * value + 0.587 * green![i]! + 0.114 * blue![i]!),
  );
}

/** Packs read each kind of map in a channel of its own, beside a flag that says it is there. */
function inChannels(plane: FloatTensor, channels: readonly string[], kind: string): FloatTensor {
  const [, , height = 0, width = 0] = plane.dims;
  const map = floats([1, channels.length, height, width]);
  const pixels = height * width;
  channels.forEach((channel, c) => {
    const target = map.data.subarray(c * pixels, (c + 1) * pixels);
    if (channel === kind) target.set(plane.data);
    if (channel === `${kind}${FLAG}`) target.fill(1);
  });
  return map;
}
