import type { Cancellation } from '#base/cancellation.js';
import type { Candidate, DetailReport, Notice, PartPlace } from '#contract/event.js';
import { fileRecipeOf } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import type { DetailWorkers } from '#engine/detail/workers.js';
import { planesOf } from '#engine/image/colour/colour.js';
import type { ColourMap } from '#engine/image/compositing/colour-map.js';
import { faded } from '#engine/image/compositing/fade.js';
import { blankResult, composed, compositeInto, type CompositeJob, type ResultSamples } from '#engine/image/compositing/composite.js';
import { explains } from '#engine/image/compositing/explains.js';
import { writePhoto } from '#engine/image/files/adapt.js';
import { encodeMask } from '#engine/image/files/encode.js';
import type { Standing } from '#engine/image/compositing/objects/named-parts.js';
import { emptyMask, EVERYWHERE, fullMask, maskBounds, type Weight } from '#engine/image/working/mask.js';
import { keepsOutlines } from '#engine/image/compositing/outlines.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { workingMask } from '#engine/image/working/working-copy.js';
import { packRegions } from '#engine/sampling/tokens.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { changedArea, type ChangedArea, type EditTrace } from './changed-area.js';
import { standingObject } from './changed-object.js';
import { wantsDetail, writeDetail, type Detailed, type DrawnRegion, type Redrawn } from './detail-step.js';
import { redrawsMask, type PipelineEvent, type PipelineJob } from './model.js';
import { isLacking, whereNamed } from './named-object.js';
import type { Stage } from './stage.js';
import { isAboutPicture, wordingOf } from './wording.js';

const UNCHANGED: Notice = { code: 'edit.unchanged', message: 'Nothing was found to change: the picture is as it was.' };

const STAYS_GRAY: Notice = {
  code: 'image.gray',
  message: 'The picture is gray and stays gray: only brightness is taken from the result.',
};

interface Area extends Pick<CompositeJob, 'weight' | 'map'>, Pick<ChangedArea, 'isRemoved' | 'isRedrawn'> {
  /** What the model drew there says nothing. */
  readonly isUnled?: boolean;
}

/** A picture in the making: what the model drew is carried back to the canvas at full resolution, region by region. */
export class ResultCanvas {
  readonly #job: PipelineJob;
  readonly #stage: Stage;
  /** Made when it is known whether the photo itself may be written over. */
  #result: ResultSamples | undefined;
  readonly #traces: EditTrace[] = [];
  readonly #notices: Notice[] = [];
  readonly #isLast: boolean;
  readonly #workers: DetailWorkers;
  #report: DetailReport | undefined;
  /** What the model drew was looked at for colours only, so far. */
  #onlyColours = true;
  #weight: Weight | undefined;

  /** @param isLast whether nothing else will be made of the stage. */
  constructor(job: PipelineJob, stage: Stage, { isLast, workers }: { readonly isLast: boolean; readonly workers: DetailWorkers }) {
    this.#job = job;
    this.#stage = stage;
    this.#weight = stage.weight;
    this.#isLast = isLast;
    this.#workers = workers;
  }

  /** Touches only what the request allows, and tells of its detail scales. Regions come in their order. */
  async *place(drawn: DrawnRegion, signal: Cancellation): AsyncGenerator<PipelineEvent, void> {
    const canvas = await this.#stage.photo();
    const { kept } = this.#stage;
    const { region, trace } = drawn;
    const area = await this.#areaOf(drawn);
    const { weight } = area;
    this.#weight = weight;
    this.#traces.push(trace);
    if (!area.map) this.#onlyColours = false;
    if (weight !== EVERYWHERE && !maskBounds(weight)) return;
    const { before, after } = trace;
    if (canvas.channels <= 2 && bringsColour(before, after)) this.#say(STAYS_GRAY);
    const manner = this.#mannerOf(trace, area);
    const redrawn = () => ({ ...drawn, kind: this.#kindOf(area), weight: maskOf(weight, canvas) });
    const detailed = manner.mode === 'decoded' ? yield* this.#detail(redrawn, signal) : undefined;
    await compositeInto(this.#resultFor(canvas, manner.mode), {
      photo: canvas,
      frame: region.frame,
      within: region.reach,
      before,
      after,
      weight: detailed?.weight ?? weight,
      ...manner,
      opaque: redrawsMask(this.#job),
      ...(kept && { kept }),
      ...(detailed?.detail && { detail: detailed.detail.rows }),
    });
  }

  /** Where the region may change, and by which one map, where there is one. */
  async #areaOf(drawn: DrawnRegion): Promise<Area> {
    const { whole } = this.#job.request;
    const map = this.#obeyedMap(drawn);
    const canvas = await this.#stage.photo();
    if (this.#weight && this.#asksAway() && !map) return this.#removedIn(this.#weight, drawn);
    if (this.#weight) return { weight: this.#weight, ...(map && { map }) };
    if (whole) return { weight: EVERYWHERE };
    const { instruction } = this.#job.request;
    const standing = await whereNamed(this.#job.model, instruction, drawn.trace.before);
    if (standing && isLacking(standing)) return { weight: emptyMask(canvas.extent) };
    const thing = standing && (await this.#alone(standing, drawn));
    if (thing) return thing;
    if (map) return { weight: EVERYWHERE, map };
    const wording = wordingOf(instruction);
    return changedArea(drawn.trace, { frame: drawn.region.frame, canvas, wording, standing });
  }

  /** The thing that words of light or colours were said of; what they do to colours is done to it, whatever the model drew. */
  async #alone(standing: Standing, { region: { frame }, wish }: DrawnRegion): Promise<Area | undefined> {
    if (!wish || isAboutPicture(this.#job.request.instruction)) return undefined;
    const weight = await standingObject(standing, frame, await this.#stage.photo());
    return weight && { weight, map: wish };
  }

  #asksAway(): boolean {
    const { request } = this.#job;
    const isEdit = request.task === 'edit' && !request.whole && !redrawsMask(this.#job) && wantsDetail(this.#job);
    return isEdit && wordingOf(request.instruction) === 'away';
  }

  /** Under a mask all of it goes; the model leads where it took something away, else it did not know what was meant. */
  async #removedIn(mask: Weight, { region, trace }: DrawnRegion): Promise<Area> {
    const { isRemoved } = await changedArea(trace, { frame: region.frame, canvas: await this.#stage.photo() });
    return { weight: mask, isRemoved: true, isUnled: isRemoved !== true };
  }

  /** The wish's own map, where it is what became of this region too. */
  #obeyedMap({ region: { frame }, trace: { before, after }, wish }: DrawnRegion): ColourMap | undefined {
    if (!wish) return undefined;
    const [, , height = 0, width = 0] = before.dims;
    const where = this.#weight && this.#weight !== EVERYWHERE && workingMask(this.#weight, frame, { width, height });
    return explains(wish, { before, after, ...(where && { where }) }) ? wish : undefined;
  }

  /** A colour map cannot take an object away or bring one: there the model's own pixels are shown, joined at the seam. */
  #mannerOf(
    { before, after }: EditTrace,
    { weight, map, isRemoved, isRedrawn }: Area,
  ): Pick<CompositeJob, 'mode' | 'matchSurroundings' | 'map'> {
    const { request } = this.#job;
    if (map) return { mode: 'transfer', map };
    if (isRemoved || isRedrawn) return { mode: 'decoded', matchSurroundings: true };
    const structural = request.task === 'edit' && !keepsOutlines(before, after) && this.#isPartial(weight);
    const anew = redrawsMask(this.#job);
    const redraw = request.task !== 'edit' || request.whole || structural || anew;
    return { mode: redraw ? 'decoded' : 'transfer', matchSurroundings: structural || anew };
  }

  /** A colour map looks at no pixel but its own and may write over the photo; what is copied or pasted looks elsewhere. */
  #resultFor(canvas: Photo, mode: CompositeJob['mode']): ResultSamples {
    const inPlace = this.#isLast && this.#stage.regions.length === 1 && mode === 'transfer' && this.#job.request.opacity === 1;
    return (this.#result ??= blankResult(canvas, inPlace));
  }

  #kindOf({ isRemoved, isUnled }: Area): Redrawn['kind'] {
    if (redrawsMask(this.#job)) return 'hole';
    if (isUnled) return 'unled';
    return isRemoved ? 'removal' : 'change';
  }

  async *#detail(redrawn: () => Redrawn, signal: Cancellation): AsyncGenerator<PipelineEvent, Detailed | undefined> {
    if (!wantsDetail(this.#job)) return undefined;
    const stage = { ...this.#stage, canvas: await this.#stage.photo() };
    const hole = redrawn();
    const detailed = yield* writeDetail({ job: this.#job, stage, workers: this.#workers }, hole, signal);
    // What comes now needs none of their memory.
    if (isLastPart(hole.part)) await this.#workers.close();
    // Of several regions each asks the mask with its soft edge where it may change.
    if (this.#stage.regions.length === 1) this.#weight = detailed.weight;
    this.#report = detailed.report ?? this.#report;
    for (const notice of detailed.notices) this.#say(notice);
    return detailed;
  }

  #say(notice: Notice): void {
    if (!this.#notices.some(({ code }) => code === notice.code)) this.#notices.push(notice);
  }

  async candidate(index: number, seed: number): Promise<Candidate<Uint8Array>> {
    const { request, model } = this.#job;
    const canvas = await this.#stage.photo();
    const { photo, changed, changedPixels, changedOutside } = composed(
      this.#result ?? blankResult(canvas),
      canvas,
      this.#weight ?? EVERYWHERE,
    );
    const tokens = packRegions(
      model.card.name,
      model.quantiser,
      this.#traces.map((trace) => trace.tokens),
    );
    const recipe = request.output.recipe
      ? fileRecipeOf(model.card, { request, seed, tokens, framings: request.output.framings })
      : undefined;
    // Of what did not happen nothing else is to be said.
    const notices = request.task === 'edit' && changedPixels === 0 ? [UNCHANGED] : this.#notices;
    return {
      index,
      picture: await writePhoto(this.#faint(photo, canvas), request.output, recipe),
      seed,
      tokens,
      changedMask: await encodeMask(changed),
      changedPixels,
      changedOutsideMask: changedOutside,
      ...(this.#onlyColours && this.#traces.length > 0 && { onlyAnswer: true }),
      ...(this.#report && { detail: this.#report }),
      ...(notices.length > 0 && { notices }),
    };
  }

  /** A picture that was drawn anew, or has grown, lies over nothing. */
  #faint(photo: Photo, canvas: Photo): Photo {
    const { opacity, task } = this.#job.request;
    return opacity === 1 || (task !== 'edit' && task !== 'fill') ? photo : faded(canvas, photo, { opacity });
  }

  /** Of several regions each leaves the others alone. */
  #isPartial(weight: Weight): boolean {
    return this.#stage.regions.length > 1 || (weight !== EVERYWHERE && weight.values.includes(0));
  }
}

function isLastPart(part: PartPlace | undefined): boolean {
  return part === undefined || part.index === part.of;
}

function maskOf(weight: Weight, { extent }: Photo): Mask {
  return weight === EVERYWHERE ? fullMask(extent) : weight;
}

/** A control map as a picture of its own. */
export function photoOfMask(mask: Mask, format: OutputFormat): Photo {
  return { extent: mask.extent, channels: 1, samples: mask.values, format, notices: [] };
}

/** Of 1: a tokenizer's gray is not quite gray. */
const COLOURED = 0.07;

/** Whether a picture was given colours that a gray file cannot hold: without a word a wish for them would be lost. */
function bringsColour(before: FloatTensor, after: FloatTensor): boolean {
  return colourOf(after) - colourOf(before) > COLOURED;
}

/** Largest minus smallest channel, the mean over the most coloured tenth of the pixels. */
function colourOf(picture: FloatTensor): number {
  const [red, green, blue] = planesOf(picture);
  const spread = red.map((value, i) => Math.max(value, green[i]!, blue[i]!) - Math.min(value, green[i]!, blue[i]!)).sort();
  const most = spread.subarray(Math.trunc(spread.length * 0.9));
  return most.reduce((sum, value) => sum + value, 0) / most.length;
}
