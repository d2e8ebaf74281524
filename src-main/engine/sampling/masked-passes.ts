import type { Cancellation } from '#base/cancellation.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { DrawOptions, Quantiser, ScaleTokens } from './quantiser.js';

// l tokens of a scale · n values of a token · m tokens that are drawn anew · V logits of a token

/** A scale that is drawn or given, and the guided logits of its tokens. */
interface Drawn {
  readonly scale: number;
  readonly tokens: ScaleTokens; // (l, n)
  readonly guided: Float32Array; // (l, V)
}

export interface MaskedPasses {
  readonly quantiser: Quantiser;
  /** How many tokens each pass draws anew. */
  readonly counts: readonly number[];
  /** The tokens that may be. */
  readonly free: readonly number[];
  /** Of every pass: random numbers of its own, or it would draw the same again. */
  readonly options: (pass: number) => DrawOptions;
  /** Guided logits, `[l, V]`, with the tokens at these places masked. */
  readonly again: (tokens: ScaleTokens, places: readonly number[]) => Promise<Float32Array>;
}

/**
 * The tokens of a scale after its masked passes (HMAR, Kumbong et al. 2025): each draws the least certain of those that were
 * drawn last once more.
 */
export async function withoutDoubt(passes: MaskedPasses, drawn: Drawn, signal: Cancellation): Promise<ScaleTokens> {
  const { quantiser, counts } = passes;
  let { tokens, guided } = drawn;
  let places = passes.free;
  for (const [pass, count] of counts.entries()) {
    throwIfCancelled(signal);
    const options = passes.options(pass);
    places = leastCertain(certaintyAt(quantiser, { tokens, guided, places, options }), places, count);
    if (places.length === 0) return tokens;
    guided = await passes.again(tokens, places);
    const redrawn = quantiser.draw(rowsAt(guided, places, quantiser.tokens(drawn.scale)), options, drawn.scale);
    tokens = replaced(tokens, redrawn, { places, size: quantiser.valuesPerToken });
  }
  return tokens;
}

/** The `count` places of least certainty, the least first; ties go to the lower place. */
export function leastCertain(certainty: ArrayLike<number>, places: readonly number[], count: number): readonly number[] {
  // Two that could not have been drawn at all are equally uncertain, though −∞ less −∞ is no number.
  const inOrder = places.map((place, i) => ({ place, sure: certainty[i]! }));
  inOrder.sort((a, b) => (a.sure === b.sure ? a.place - b.place : a.sure - b.sure));
  return inOrder.slice(0, count).map(({ place }) => place);
}

interface Asked extends Pick<Drawn, 'tokens' | 'guided'> {
  readonly places: readonly number[];
  readonly options: DrawOptions;
}

/** `[m]` */
function certaintyAt(quantiser: Quantiser, { tokens, guided, places, options }: Asked): Float32Array {
  if (!quantiser.certainty) throw new Error('Expected tokens of which it can be told how sure they are.');
  const count = tokens.length / quantiser.valuesPerToken;
  return quantiser.certainty(rowsAt(guided, places, count), rowsAt(tokens, places, count), options);
}

/** The rows at these places of a table of `count` rows. */
function rowsAt<T extends ScaleTokens | Float32Array>(table: T, places: readonly number[], count: number): T {
  const size = table.length / count;
  const rows = table.slice(0, places.length * size) as T;
  places.forEach((place, i) => {
    rows.set(table.subarray(place * size, (place + 1) * size), i * size);
  });
  return rows;
}

function replaced(tokens: ScaleTokens, redrawn: ScaleTokens, { places, size }: { places: readonly number[]; size: number }): ScaleTokens {
  const result = tokens.slice();
  places.forEach((place, i) => {
    result.set(redrawn.subarray(i * size, (i + 1) * size), place * size);
  });
  return result;
}
