import type { Candidate, Notice } from '#contract/event.js';
import { fileRecipeOf } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import { composed, compositeInto } from '#engine/image/compositing/composite.js';
import { encodeMask, encodePhoto } from '#engine/image/files/encode.js';
import { fullMask } from '#engine/image/working/mask.js';
import { keepsOutlines } from '#engine/image/compositing/outlines.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import type { Region } from '#engine/image/working/regions.js';
import { packRegions } from '#engine/sampling/tokens.js';
import { changedArea, type EditTrace } from './changed-area.js';
import { redrawsMask, type PipelineJob } from './model.js';
import type { Stage } from './stage.js';

const UNCHANGED: Notice = { code: 'edit.unchanged', message: 'Nothing was found to change: the picture is as it was.' };

/** A picture in the making: what the model drew is carried back to the canvas at full resolution, region by region. */
export class ResultCanvas {
  readonly #job: PipelineJob;
  readonly #stage: Stage;
  readonly #samples: Photo['samples'];
  readonly #traces: EditTrace[] = [];
  #weight: Mask | undefined;

  constructor(job: PipelineJob, stage: Stage) {
    this.#job = job;
    this.#stage = stage;
    this.#weight = stage.weight;
    this.#samples = stage.canvas.samples.slice();
  }

  /** Touches only what the request allows. Regions come in their order. */
  async place(region: Region, trace: EditTrace): Promise<void> {
    const { request } = this.#job;
    const { canvas, kept } = this.#stage;
    const weight = (this.#weight ??= request.whole ? fullMask(canvas.extent) : await changedArea(trace, region.frame, canvas));
    const { before, after } = trace;
    // A colour map cannot take an object away or bring one: there the model's own pixels are shown, joined at the seam.
    const structural = request.task === 'edit' && !keepsOutlines(before, after) && this.#isPartial(weight);
    const anew = redrawsMask(this.#job);
    const redraw = request.task !== 'edit' || request.whole || structural || anew;
    this.#traces.push(trace);
    await compositeInto(this.#samples, {
      photo: canvas,
      frame: region.frame,
      within: region.reach,
      before,
      after,
      weight,
      mode: redraw ? 'decoded' : 'transfer',
      matchSurroundings: structural || anew,
      ...(kept && { kept }),
    });
  }

  async candidate(index: number, seed: number): Promise<Candidate<Uint8Array>> {
    const { request, model } = this.#job;
    const { canvas } = this.#stage;
    const { photo, changed, changedPixels, changedOutside } = composed(canvas, this.#samples, this.#weight ?? fullMask(canvas.extent));
    const tokens = packRegions(
      model.card.name,
      model.quantiser,
      this.#traces.map((trace) => trace.tokens),
    );
    const recipe = request.output.recipe ? fileRecipeOf(model.card, { request, seed, tokens }) : undefined;
    return {
      index,
      picture: await encodePhoto(photo, request.output, recipe),
      seed,
      tokens,
      changedMask: await encodeMask(changed),
      changedPixels,
      changedOutsideMask: changedOutside,
      ...(request.task === 'edit' && changedPixels === 0 && { notices: [UNCHANGED] }),
    };
  }

  /** Of several regions each leaves the others alone. */
  #isPartial({ values }: Mask): boolean {
    return this.#stage.regions.length > 1 || values.includes(0);
  }
}

/** A control map as a picture of its own. */
export function photoOfMask(mask: Mask, format: OutputFormat): Photo {
  return { extent: mask.extent, channels: 1, samples: mask.values, format, notices: [] };
}
