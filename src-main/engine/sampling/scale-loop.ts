import { at, invariant } from '#base/assert.js';
import type { Cancellation } from '#base/cancellation.js';
import { ExpectedError, throwIfCancelled } from '#contract/errors.js';
import type { Conditioning, PredictionRun, ScaleInput, ScalePredictor } from '#engine/tensor/predictor.js';
import { expectFinite, floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { guide } from './guidance.js';
import { patchify } from './patchify.js';
import { withoutDoubt, type MaskedPasses } from './masked-passes.js';
import { mergeTokens, residualAt, type DrawOptions, type Quantiser, type ScaleTokens } from './quantiser.js';

// d code channels · G finest tokenizer grid · l tokens of a scale · D bits per token · V codebook entries

export interface ScalePlan {
  readonly predictor: ScalePredictor;
  readonly quantiser: Quantiser;
  readonly conditioning: Conditioning;
  readonly sampling: DrawOptions;
  /** Of every scale; absent = the one that sampling names. */
  readonly temperatures?: readonly number[];
  /** Classifier-free guidance of every scale, by the instruction or by the control; 1 = none. */
  readonly guidance: readonly number[];
  /** Layers to run at every scale. */
  readonly layers: readonly (readonly number[])[];
  /** Continuous features of the source, `[d, G]`; a generated picture has none to keep. */
  readonly features?: FloatTensor;
  /**
   * The source's own tokens, put back where it is kept (VAR); without them what is kept is quantised anew against the
   * running sum, which heals what earlier scales changed.
   */
  readonly sourceTokens?: readonly ScaleTokens[];
  /** What the model is told to repaint, `[1, G]`, 0..1; only for packs with a mask embedding. */
  readonly modelMask?: FloatTensor;
  /** Whether the source is told of inside what is to be repainted too: its surroundings go on there. */
  readonly smoothHoles?: boolean;
  /** Where new tokens may appear, `[1, G]`; elsewhere the source's own are kept (VAR's zero-shot editing). */
  readonly keepMask?: FloatTensor;
  /** Structure lock: the first scales keep all of the source's tokens. */
  readonly lockedScales: number;
  /** Tokens that are given instead of drawn: a resumed run or a parity probe. */
  readonly given: readonly ScaleTokens[];
  /** Run scales 0 … until − 1. */
  readonly until: number;
  readonly redraw?: Redraw;
}

/** The least certain tokens of a scale, drawn once more; what is finer follows from them. */
export interface Redraw {
  /** 0-based. */
  readonly scale: number;
  /** Of the tokens that are free to be drawn, 0..1. */
  readonly share: number;
  /** Of random numbers of its own: all else is drawn as without it. */
  readonly seed: number;
}

export interface ScaleStep {
  readonly scale: number;
  readonly tokens: ScaleTokens;
  /** Sum of all codes so far, `[d, G]`. */
  readonly sum: FloatTensor;
  readonly logits: FloatTensor; // (B, l, D), or (B, l, V) over a codebook
  readonly gate?: FloatTensor; // (l)
  readonly ms: number;
  /** What came before the first scale: text and source through all layers. */
  readonly beginMs?: number;
}

/** Next-scale prediction: coarse to fine, each scale seeing all before it. Yields after every scale; stops between scales when cancelled. */
export async function* runScales(plan: ScalePlan, signal: Cancellation): AsyncGenerator<ScaleStep, void> {
  const begun = performance.now();
  const run = await plan.predictor.begin(plan.conditioning, plan.layers.slice(0, plan.until));
  const beginMs = performance.now() - begun;
  try {
    for await (const step of stepsOf(plan, run, signal)) yield step.scale === 0 ? { ...step, beginMs } : step;
  } finally {
    run.end();
  }
}

async function* stepsOf(plan: ScalePlan, run: PredictionRun, signal: Cancellation): AsyncGenerator<ScaleStep, void> {
  let sum = plan.quantiser.emptySum();
  let previous: ScaleTokens | undefined;
  for (let scale = 0; scale < plan.until; scale++) {
    throwIfCancelled(signal);
    const started = performance.now();
    if (hasTwoRows(plan.conditioning) && !isGuidedFrom(plan, scale)) await run.endGuidance();
    const input = { ...scaleInput(plan, sum, scale), ...(previous && { previous }) };
    const { logits, gate } = await run.predict(scale, input, at(plan.layers, scale));
    const drawn = { scale, sum, logits, tokens: chooseTokens(plan, { scale, sum, logits }) };
    const tokens = await redrawn({ ...plan, run }, { ...drawn, tokens: await refined({ ...plan, run }, drawn, signal) }, signal);
    sum = plan.quantiser.add(sum, tokens, scale);
    previous = tokens;
    yield { scale, tokens, sum, logits, ...(gate && { gate }), ms: performance.now() - started };
  }
}

function hasTwoRows({ guided, control }: Conditioning): boolean {
  return guided || control?.guided === true;
}

/** Whether this scale or a later one is guided. */
function isGuidedFrom({ guidance }: ScalePlan, scale: number): boolean {
  return guidance.slice(scale).some((value) => value !== 1);
}

function scaleInput(plan: ScalePlan, sum: FloatTensor, scale: number): ScaleInput {
  const { quantiser, features, modelMask, smoothHoles } = plan;
  const codes = scale > 0 ? { codes: quantiser.nextInput(sum, scale) } : {};
  if (!features || !modelMask) return codes;
  const mask = quantiser.down(modelMask, scale);
  const residual = residualAt(quantiser, { features, sum, k: scale });
  const told = smoothHoles ? residual : hideInside(residual, mask);
  return { ...codes, residual: patchify(told, quantiser.patch), mask: patchify(mask, quantiser.patch) };
}

/** Inside a grey hole there is nothing to copy: `map [d, h, w]` times one minus `mask [1, h, w]`. */
function hideInside(map: FloatTensor, mask: FloatTensor): FloatTensor {
  const cells = mask.data.length;
  const data = new Float32Array(map.data.length);
  for (let i = 0; i < data.length; i++) data[i] = map.data[i]! * (1 - mask.data[i % cells]!);
  return { ...map, data };
}

function chooseTokens(plan: ScalePlan, { scale, sum, logits }: { scale: number; sum: FloatTensor; logits: FloatTensor }): ScaleTokens {
  const given = plan.given[scale];
  if (given) return given;
  const guided = guideFinite(logits, at(plan.guidance, scale), scale);
  const drawn = plan.quantiser.draw(guided, samplingAt(plan, scale), scale);
  const { features, keepMask, lockedScales } = plan;
  if (!features || (!keepMask && scale >= lockedScales)) return drawn;
  const source = plan.sourceTokens ? at(plan.sourceTokens, scale) : plan.quantiser.quantise(features, sum, scale);
  if (scale < lockedScales || !keepMask) return source;
  return mergeTokens(drawn, source, plan.quantiser.kept(keepMask, scale));
}

type RunPlan = ScalePlan & { readonly run: PredictionRun };

interface DrawnScale {
  readonly scale: number;
  readonly sum: FloatTensor;
  readonly logits: FloatTensor;
  readonly tokens: ScaleTokens;
}

/** The scale behind its masked passes, of transformers that know such. What is kept of a source is certain. */
async function refined(plan: RunPlan, drawn: DrawnScale, signal: Cancellation): Promise<ScaleTokens> {
  const { quantiser } = plan;
  const { scale, tokens } = drawn;
  const counts = scale < plan.given.length ? [] : (plan.predictor.maskedPasses?.[scale] ?? []);
  if (counts.length === 0) return tokens;
  const options = (pass: number): DrawOptions => {
    const sampling = samplingAt(plan, scale);
    return { ...sampling, seed: seedOfPass(sampling.seed, pass) };
  };
  const guided = guideFinite(drawn.logits, at(plan.guidance, scale), scale);
  const passes = { quantiser, counts, free: freeTokens(plan, scale), options, again: maskedPass(plan, drawn) };
  return withoutDoubt(passes, { scale, tokens, guided }, signal);
}

/** A masked pass over a scale, with what came before it. */
function maskedPass(plan: RunPlan, { scale, sum }: DrawnScale): MaskedPasses['again'] {
  const { quantiser, run } = plan;
  return async (tokens, places) => {
    const own = patchify(quantiser.down(quantiser.add(quantiser.emptySum(), tokens, scale), scale), quantiser.patch);
    const masked = new Uint8Array(quantiser.tokens(scale));
    for (const place of places) masked[place] = 1;
    const input = { ...scaleInput(plan, sum, scale), own, masked };
    const prediction = await run.redraw?.(scale, input, at(plan.layers, scale));
    invariant(prediction, `Expected a transformer that draws tokens of scale ${scale} once more.`);
    return guideFinite(prediction.logits, 1, scale);
  };
}

/** Every pass draws other random numbers than those before it. */
function seedOfPass(seed: number, pass: number): number {
  return (seed ^ Math.imul(pass + 1, 0x85eb_ca6b)) >>> 0;
}

/** A re-roll draws other random numbers than any pass. */
function seedOfRedraw(seed: number): number {
  return (seed ^ 0xc2b2_ae35) >>> 0;
}

/**
 * The scale with its least certain tokens drawn once more, where that is wished: by a masked pass, of transformers that know
 * such, else from the logits that they were drawn from. Also where the run takes the likeliest: that would be the same again.
 */
async function redrawn(plan: RunPlan, drawn: DrawnScale, signal: Cancellation): Promise<ScaleTokens> {
  const { redraw, quantiser, features, keepMask } = plan;
  const { scale, tokens } = drawn;
  if (redraw?.scale !== scale) return tokens;
  const free = freeTokens(plan, scale);
  if (free.length === 0) {
    throw new ExpectedError(
      'request.invalid',
      `Expected tokens to draw again at scale ${scale + 1} but all of them are the source’s own.`,
      {
        details: { field: 'redraw' },
      },
    );
  }
  const guided = guideFinite(drawn.logits, at(plan.guidance, scale), scale);
  const { temperature, ...sampling } = samplingAt(plan, scale);
  const options = { ...sampling, temperature: temperature || 1, byChance: true, seed: seedOfRedraw(redraw.seed) };
  // Nothing comes before the first scale that a masked pass could see.
  const again = plan.run.redraw && scale > 0 ? maskedPass(plan, drawn) : () => Promise.resolve(guided);
  const counts = [Math.max(1, Math.round(redraw.share * free.length))];
  const anew = await withoutDoubt({ quantiser, counts, free, options: () => options, again }, { scale, tokens, guided }, signal);
  return features && keepMask ? mergeTokens(anew, tokens, quantiser.kept(keepMask, scale)) : anew;
}

/** Tokens of which not all is kept of the source. */
function freeTokens({ quantiser, features, keepMask, lockedScales }: ScalePlan, scale: number): readonly number[] {
  const all = Array.from({ length: quantiser.tokens(scale) }, (_, token) => token);
  if (!features) return all;
  if (scale < lockedScales) return [];
  if (!keepMask) return all;
  const kept = quantiser.kept(keepMask, scale);
  const size = quantiser.valuesPerToken;
  return all.filter((token) => kept.subarray(token * size, (token + 1) * size).includes(0));
}

/** How a scale's tokens are drawn. */
export function samplingAt({ sampling, temperatures }: Pick<ScalePlan, 'sampling' | 'temperatures'>, scale: number): DrawOptions {
  return temperatures ? { ...sampling, temperature: at(temperatures, scale) } : sampling;
}

/**
 * Guided logits.
 *
 * @throws ExpectedError `weights.damaged` where they are no numbers.
 */
export function guideFinite(logits: FloatTensor, guidance: number, scale: number): Float32Array {
  const guided = guide(logits, guidance);
  return expectFinite(floats([guided.length], guided), `logits at scale ${scale + 1}`).data;
}
