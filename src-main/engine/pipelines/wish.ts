import type { Cancellation } from '#base/cancellation.js';
import { remember } from '#base/remember.js';
import { traitsOf } from '#contract/traits.js';
import type { ColourMap, ColourPairs } from '#engine/image/compositing/colour-map.js';
import { misfitOf, pairsOf, type DecodedPair } from '#engine/image/compositing/explains.js';
import { simplestMap } from '#engine/image/compositing/simplest-map.js';
import { referencePictures } from '#engine/image/working/reference-picture.js';
import { patchify } from '#engine/sampling/patchify.js';
import { runScales } from '#engine/sampling/scale-loop.js';
import { floats, joinedFloats, type FloatTensor } from '#engine/tensor/tensor.js';
import { modelExtent, type EditingModel, type Wish, type Wishes } from './model.js';
import { tokenise } from './tokenise.js';

// S model picture side

/** Root mean square, of 1, that a wish has to move the colours of the reference pictures to count. */
const MOVES = 0.04;
/** Share of what happened to the reference pictures that one map has to explain. */
const EXPLAINED = 0.75;
/** Samples of each reference picture that a map is fitted to, at most. */
const SAMPLES = 8192;
/** Wishes that are remembered: more than a session has. */
const REMEMBERED = 64;

/** A reference picture as the tokenizer holds it. */
interface Reference {
  readonly features: FloatTensor;
  /** `[1, 3, S, S]` */
  readonly before: FloatTensor;
}

/** What instructions do to colours alone, for one open pack: asked once per wish, on pictures that show nothing but colours. */
export class WishMemory implements Wishes {
  readonly #references = new Map<string, Promise<readonly Reference[]>>();
  readonly #maps = new Map<string, ColourMap | undefined>();

  /** Runs the model where this was not asked before. */
  async mapOf({ job, plan }: Wish, signal: Cancellation): Promise<ColourMap | undefined> {
    const key = keyOf({ job, plan });
    if (this.#maps.has(key)) return this.#maps.get(key);
    const pairs: DecodedPair[] = [];
    for (const reference of await this.#referencesOf(job.model)) {
      pairs.push({ before: reference.before, after: await obeyed({ job, plan }, reference, signal) });
    }
    const map = mapOfWish(pairs);
    if (this.#maps.size >= REMEMBERED) this.#maps.delete(this.#maps.keys().next().value!);
    this.#maps.set(key, map);
    return map;
  }

  #referencesOf(model: EditingModel): Promise<readonly Reference[]> {
    const { width, height } = modelExtent(model);
    return remember(this.#references, `${width}×${height}`, () => held(model));
  }
}

function keyOf({ job, plan }: Wish): string {
  const { width, height } = modelExtent(job.model);
  return JSON.stringify([job.request.instruction, plan.guidance, plan.layers, plan.lockedScales, plan.until, width, height]);
}

async function held(model: EditingModel): Promise<readonly Reference[]> {
  const references: Reference[] = [];
  for (const picture of referencePictures(modelExtent(model))) {
    const { features, sum } = await tokenise(model, picture);
    references.push({ features, before: await model.coder.decode(floats([1, ...sum.dims], sum.data)) });
  }
  return references;
}

/** What the model makes of a reference picture under the wish: the likeliest token everywhere, nothing masked, nothing given. */
async function obeyed({ job, plan }: Wish, { features }: Reference, signal: Cancellation): Promise<FloatTensor> {
  const { predictor, quantiser, card, coder } = job.model;
  if ('beginRaster' in predictor) throw new Error('Expected a model that edits by scales.');
  const { maskEmbedding, sourceFusion } = traitsOf(card);
  const modelMask = floats([1, ...quantiser.finest]);
  const { text, guided } = plan.conditioning;
  const source = { tokens: patchify(features, quantiser.patch), ...(maskEmbedding && { mask: patchify(modelMask, quantiser.patch) }) };
  const { guidance, layers, lockedScales, until } = plan;
  let sum = quantiser.emptySum();
  const steps = runScales(
    {
      predictor,
      quantiser,
      conditioning: { text, guided, source },
      sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
      features,
      ...((maskEmbedding || sourceFusion) && { modelMask }),
      guidance,
      layers,
      lockedScales,
      given: [],
      until,
    },
    signal,
  );
  for await (const step of steps) sum = step.sum;
  return coder.decode(floats([1, ...sum.dims], sum.data));
}

/** Exported for its test: the map that explains all pairs, where one does and moves anything. */
export function mapOfWish(pairs: readonly DecodedPair[]): ColourMap | undefined {
  const { map } = simplestMap(sampled(pairs));
  const misfits = pairs.map((pair) => misfitOf(map, pair));
  const [change, left] = [meanSquare(misfits.map((misfit) => misfit.change)), meanSquare(misfits.map((misfit) => misfit.left))];
  return change > MOVES ** 2 && left < (1 - EXPLAINED) * change ? map : undefined;
}

function meanSquare(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value ** 2, 0) / values.length;
}

/** Every so manieth pixel of all pairs in one row. */
function sampled(pairs: readonly DecodedPair[]): ColourPairs {
  const all = pairs.map(pairsOf);
  const joined = (side: 'before' | 'after', channel: number) => joinedFloats(all.map((one) => thinned(one[side][channel]!)));
  const planes = (side: 'before' | 'after') => [joined(side, 0), joined(side, 1), joined(side, 2)] as const;
  return { before: planes('before'), after: planes('after') };
}

function thinned(plane: Float32Array): Float32Array {
  const stride = Math.max(1, Math.ceil(plane.length / SAMPLES));
  const kept = new Float32Array(Math.floor(plane.length / stride));
  for (let i = 0; i < kept.length; i++) kept[i] = plane[i * stride]!;
  return kept;
}
