import type { Candidate } from '#contract/event.js';
import { fileRecipeOf } from '#contract/recipe.js';
import type { OutputFormat } from '#contract/request.js';
import { compositeEdit } from '#engine/image/compositing/composite.js';
import { encodeMask, encodePhoto } from '#engine/image/files/encode.js';
import { fullMask } from '#engine/image/working/mask.js';
import { keepsOutlines } from '#engine/image/compositing/outlines.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { packTokens } from '#engine/sampling/tokens.js';
import { changedArea, type EditTrace } from './changed-area.js';
import { redrawsMask, type PipelineJob } from './model.js';
import type { Stage } from './stage.js';

/** One finished candidate on its way to pixels. */
export interface Finished {
  readonly index: number;
  readonly seed: number;
  readonly trace: EditTrace;
}

/** Carries the model's picture back to the canvas at full resolution, touching only what the request allows. */
export async function finishOnCanvas(job: PipelineJob, stage: Stage, finished: Finished): Promise<Candidate<Uint8Array>> {
  const { request } = job;
  const weight =
    stage.weight ?? (request.whole ? fullMask(stage.canvas.extent) : await changedArea(finished.trace, stage.frame, stage.canvas));
  const { before, after } = finished.trace;
  // A colour map cannot take an object away or bring one: there the model's own pixels are shown, joined at the seam.
  const structural = request.task === 'edit' && !keepsOutlines(before, after) && weight.values.includes(0);
  const anew = redrawsMask(job);
  const redraw = request.task !== 'edit' || request.whole || structural || anew;
  const composed = await compositeEdit({
    photo: stage.canvas,
    frame: stage.frame,
    before,
    after,
    weight,
    mode: redraw ? 'decoded' : 'transfer',
    matchSurroundings: structural || anew,
    opaque: anew,
    ...(stage.kept && { kept: stage.kept }),
  });
  return {
    ...(await candidateOf(job, finished, composed.photo)),
    changedMask: await encodeMask(composed.changed),
    changedPixels: composed.changedPixels,
    changedOutsideMask: composed.changedOutside,
  };
}

async function candidateOf(job: PipelineJob, { index, seed, trace }: Finished, photo: Photo) {
  const { request, model } = job;
  const tokens = packTokens(model.card.name, trace.quantiser, trace.tokens);
  const recipe = request.output.recipe ? fileRecipeOf(model.card, { request, seed, tokens }) : undefined;
  return { index, picture: await encodePhoto(photo, request.output, recipe), seed, tokens };
}

/** A control map as a picture of its own. */
export function photoOfMask(mask: Mask, format: OutputFormat): Photo {
  return { extent: mask.extent, channels: 1, samples: mask.values, format, notices: [] };
}
