import { sampleCount, union, type Extent, type Rect } from '#base/geometry.js';
import { ExpectedError } from '#contract/errors.js';
import type { Notice } from '#contract/event.js';
import type { EditRequest } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { fillMembrane } from '#engine/image/compositing/membrane.js';
import { openPhoto } from '#engine/image/files/decode.js';
import { extendPhoto, frameWhole, keptPart } from '#engine/image/working/frame.js';
import { EVERYWHERE, feather, maskBounds, openMask, outside, type Weight } from '#engine/image/working/mask.js';
import { maskRegions, wholeRegion, type MaskRegion, type Region, type RegionOptions } from '#engine/image/working/regions.js';
import type { Mask, Photo, PhotoFacts } from '#engine/image/files/photo.js';
import { viewWhole, type WholeView } from '#engine/image/working/whole-view.js';
import { workingCopy, workingMask } from '#engine/image/working/working-copy.js';
import { widenByOneToken } from '#engine/sampling/keep-mask.js';
import { resizeArea } from '#engine/tensor/resample.js';
import { floats, joinedFloats, type FloatTensor } from '#engine/tensor/tensor.js';
import { givenFile, modelExtent, pictureBytes, type EditingModel, type PipelineJob } from './model.js';

// S model picture side · G finest tokenizer grid

/** What the compositor needs to know of the picture, and the parts of it that the model works on one after the other. */
export interface Stage {
  /** The picture that will be written: the source, or the source with its new border. */
  readonly canvas: PhotoFacts;
  /** The same with its samples, which may still be on their way. */
  readonly photo: () => Promise<Photo>;
  /** In canvas pixels; never empty. */
  readonly regions: readonly Region[];
  /** Where canvas pixels may change, soft edge included; absent = the edit itself decides. */
  readonly weight?: Weight;
  /** What was asked to change, hard. */
  readonly mask?: Mask;
  /** Where the source lies on a larger canvas. */
  readonly kept?: Rect;
  readonly notices: readonly Notice[];
  /** A region in the model's own space; always of the untouched canvas, whatever became of other regions. */
  readonly see: (region: Region) => Promise<View>;
}

/** A stage whose picture is there. */
export type DecodedStage = Stage & { readonly canvas: Photo };

/** All that the scale loop needs to know of the picture. */
export interface View {
  /** The frame at the model's size with holes hidden, `[1, 3, S, S]`. */
  readonly picture: FloatTensor;
  /** What the model is told to repaint, `[1, G]`. */
  readonly modelMask: FloatTensor;
  /** Where new tokens may appear, `[1, G]`; absent = everywhere. */
  readonly keepMask?: FloatTensor;
}

const SMALLEST_SIDE = 16;
/** Frame side over mask side: the model needs to see what surrounds a hole. */
const CONTEXT = 1.8;
/** Half of the longer frame side over this is the default soft edge. */
const BLEND_SHARE = 1 / 64;

async function openSource(job: PipelineJob): Promise<Photo> {
  const photo = await openPhoto(pictureBytes(job, job.request.source, 'source'));
  expectLargeEnough(photo);
  return photo;
}

function expectLargeEnough({ extent: { width, height } }: PhotoFacts): void {
  if (Math.min(width, height) < SMALLEST_SIDE) {
    throw new ExpectedError('image.too-small', `Expected at least ${SMALLEST_SIDE} pixels per side but received ${width}×${height}.`);
  }
}

/** An instruction edit: the whole picture, or the surroundings of a mask. */
export async function stageEdit(job: PipelineJob): Promise<Stage> {
  const size = modelExtent(job.model);
  const modelMask = emptyMask(job.model);
  if (job.request.mask === undefined) {
    const view = await viewWhole(pictureBytes(job, job.request.source, 'source'), { size, padded: job.request.padded }, job.views);
    expectLargeEnough(view.facts);
    const { facts, frame, picture } = view;
    return stageOnce({ ...decoding(view), notices: facts.notices }, frame, { picture, modelMask });
  }
  const canvas = await openSource(job);
  const masked = await stageMask(job, canvas);
  return {
    ...opened(canvas),
    ...masked,
    see: async ({ frame }) => {
      const keepMask = widenByOneToken(holeIn(job, masked.mask, frame).share, job.model.quantiser.patch);
      return { picture: await workingCopy(canvas, frame, size), modelMask, keepMask };
    },
  };
}

function opened(canvas: Photo): Pick<Stage, 'canvas' | 'photo'> {
  return { canvas, photo: () => Promise.resolve(canvas) };
}

function stageOnce(parts: Pick<Stage, 'canvas' | 'photo' | 'weight' | 'notices'>, frame: Rect, view: View): Stage {
  return { ...parts, regions: [regionOfAll(parts.canvas, frame)], see: () => Promise.resolve(view) };
}

function regionOfAll({ extent }: PhotoFacts, frame: Rect): Region {
  return { frame, reach: union(frame, { x: 0, y: 0, ...extent }) };
}

/** Decoded beside whatever is done meanwhile. */
function decoding({ facts, photo }: WholeView): Pick<Stage, 'canvas' | 'photo'> {
  // Whoever needs it hears of a failure; until then nobody does.
  photo().catch(() => undefined);
  return { canvas: facts, photo };
}

/** In-painting: the masked part is hidden from the model. */
export async function stageFill(job: PipelineJob): Promise<Stage> {
  const canvas = await openSource(job);
  return stageHole(job, canvas, await stageMask(job, canvas));
}

/** Out-painting: a larger canvas whose border is the hole. */
export async function stageExpand(job: PipelineJob): Promise<Stage> {
  const { margins } = job.request;
  if (!margins || margins.left + margins.right + margins.top + margins.bottom === 0) {
    throw new ExpectedError('request.invalid', 'Expected at least one margin above 0 but received none.');
  }
  const source = await openSource(job);
  const canvas = extendPhoto(source, margins);
  const kept = keptPart(source, margins);
  const size = modelExtent(job.model);
  const frame = frameWhole(canvas.extent, size.width / size.height);
  const mask = outside(kept, canvas.extent);
  // Old pixels stay: the soft edge lies on the new side, over the mirror image.
  const weight = outside(kept, canvas.extent, softEdgePx(job, frame));
  return stageHole(job, canvas, { mask, weight, kept, regions: [regionOfAll(canvas, frame)], notices: canvas.notices });
}

/** A picture from nothing: everything is hole. */
export function stageEmpty(model: EditingModel, extent: Extent): Stage {
  const { width, height } = modelExtent(model);
  const picture = floats([1, 3, height, width]);
  picture.data.fill(HIDDEN);
  const modelMask = emptyMask(model);
  modelMask.data.fill(1);
  const samples = new Uint8Array(sampleCount(extent) * 3).fill(HIDDEN * 255);
  const canvas: Photo = { extent, channels: 3, samples, format: 'png', notices: [] };
  return stageOnce({ ...opened(canvas), weight: EVERYWHERE, notices: [] }, frameWhole(extent, width / height), { picture, modelMask });
}

/** The grey that stands for hidden pixels in training. */
const HIDDEN = 0.5;

interface StagedMask {
  readonly mask: Mask;
  readonly weight: Mask;
  readonly regions: readonly MaskRegion[];
  readonly notices: readonly Notice[];
}

async function stageMask(job: PipelineJob, canvas: Photo): Promise<StagedMask> {
  const { mask, notices } = await openMask(pictureBytes(job, job.request.mask, 'mask'), canvas.extent);
  const regions = regionsOf(job, mask);
  return { mask, weight: feather(mask, regions), regions, notices: [...canvas.notices, ...notices] };
}

function regionsOf(job: PipelineJob, mask: Mask): readonly MaskRegion[] {
  const bounds = maskBounds(mask);
  if (!bounds) throw new ExpectedError('mask.empty', 'Expected a mask with a painted part but received an empty one.');
  const options = optionsOf(job.request, modelExtent(job.model));
  // Tokens of one part belong to one frame, also those of a run from before parts had frames of their own.
  const given = givenFile(job);
  return given && !given.regions ? [wholeRegion(bounds, mask.extent, options)] : maskRegions(mask, options);
}

/** The parts that a mask would be worked on in, by a model of that size. */
export function partsOf(request: Pick<EditRequest, 'blend'>, mask: Mask, size: Extent): readonly MaskRegion[] {
  return maskRegions(mask, optionsOf(request, size));
}

function optionsOf(request: Pick<EditRequest, 'blend'>, size: Extent): RegionOptions {
  return { aspect: size.width / size.height, context: CONTEXT, minSide: size.width, softEdgePx: (frame) => softEdgePx({ request }, frame) };
}

function softEdgePx({ request }: { readonly request: Pick<EditRequest, 'blend'> }, frame: Rect): number {
  return request.blend ?? Math.round(Math.max(frame.width, frame.height) * BLEND_SHARE);
}

interface Hole {
  /** `[1, 1, S, S]`, 1 where any of the pixel is to be repainted. */
  readonly hole: FloatTensor;
  /** `[1, G]` */
  readonly share: FloatTensor;
}

function holeIn(job: PipelineJob, mask: Mask, frame: Rect): Hole {
  const hole = binary(workingMask(mask, frame, modelExtent(job.model)));
  return { hole, share: resizeArea({ ...hole, dims: hole.dims.slice(1) }, job.model.quantiser.finest) };
}

function stageHole(job: PipelineJob, canvas: Photo, parts: Omit<Stage, 'see' | 'canvas' | 'photo'> & { readonly mask: Mask }): Stage {
  return {
    ...opened(canvas),
    ...parts,
    see: async ({ frame }) => {
      const seen = await workingCopy(canvas, frame, modelExtent(job.model));
      const { hole, share } = holeIn(job, parts.mask, frame);
      const keepMask = widenByOneToken(share, job.model.quantiser.patch);
      return { picture: hidden(job.model, seen, hole), modelMask: share, keepMask };
    },
  };
}

function emptyMask(model: EditingModel): FloatTensor {
  return floats([1, ...model.quantiser.finest]);
}

function binary(mask: FloatTensor): FloatTensor {
  return floats(
    mask.dims,
    mask.data.map((value) => (value > 0 ? 1 : 0)),
  );
}

/** What the model was shown of holes in training; one that is not told of them never saw any. */
function hidden({ card }: EditingModel, seen: FloatTensor, hole: FloatTensor): FloatTensor {
  const { maskEmbedding, smoothHoles } = traitsOf(card);
  if (!maskEmbedding) return seen;
  const hasSurroundings = hole.data.includes(0);
  return smoothHoles && hasSurroundings ? continued(seen, hole) : hide(seen, hole);
}

/** Lets the surroundings of `hole [1, 1, S, S]` go on in it, channel by channel of `picture [1, 3, S, S]`. */
function continued(picture: FloatTensor, hole: FloatTensor): FloatTensor {
  const [, channels = 0, height = 0, width = 0] = picture.dims;
  const known = hole.data.map((value) => 1 - value);
  const planes = Array.from({ length: channels }, (_, channel) =>
    picture.data.subarray(channel * known.length, (channel + 1) * known.length),
  );
  return floats(picture.dims, joinedFloats(planes.map((plane) => fillMembrane(plane, known, { width, height }))));
}

/** Greys `picture [1, 3, S, S]` where `hole [1, 1, S, S]` is 1. */
function hide(picture: FloatTensor, hole: FloatTensor): FloatTensor {
  const pixels = hole.data.length;
  return floats(
    picture.dims,
    picture.data.map((value, i) => (hole.data[i % pixels] ? HIDDEN : value)),
  );
}
