import { ExpectedError } from '#contract/errors.js';
import type { ControlSettings } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { modelCanny } from '#engine/control/canny.js';
import { invertMap, stretchMap } from '#engine/control/depth.js';
import type { ControlInput } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { modelExtent, type PipelineJob } from './model.js';
import { readyPlane, type MapPlace, type ReadyMap } from './ready-map.js';

/** What a control map follows from. */
export type ControlJob = Pick<PipelineJob, 'request' | 'pictures' | 'model' | 'views'>;

/** What there is to take a map from. */
export interface MapOrigin {
  /** The model's view of the source. */
  readonly picture?: FloatTensor | undefined;
  /** A map of the user's own, and which part of it is seen. */
  readonly ready?: { readonly map: ReadyMap; readonly place: MapPlace } | undefined;
}

// S model picture side · n control channels of the pack

const FLAG = '-flag';

/** The control of a request, ready for the model; undefined where it would change nothing. */
export async function controlInput(job: PipelineJob, origin: MapOrigin): Promise<ControlInput | undefined> {
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
  const plane = await controlPlane(job, settings, origin);
  const map = inChannels(plane, channels, settings.kind);
  return { map, strength: settings.strength, fromScale: settings.fromScale - 1, toScale: settings.toScale - 1 };
}

/** The control map as the model sees it, `[1, 1, S, S]`, or `[1, 3, S, S]` where its colours count. */
export async function controlPlane(job: ControlJob, settings: ControlSettings, { picture, ready }: MapOrigin): Promise<FloatTensor> {
  if (ready) return readyPlane(ready.map, settings, { ...ready.place, size: modelExtent(job.model) });
  if (!picture) throw new ExpectedError('request.invalid', 'Expected a source picture or a control map but received neither.');
  const plane = await estimateMap(job, settings, picture);
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

/** The one map that a pack reads; or one of several, each in a channel of its own beside a flag that says it is there. */
function inChannels(plane: FloatTensor, channels: readonly string[], kind: string): FloatTensor {
  if (channels.length === 1) return plane;
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
