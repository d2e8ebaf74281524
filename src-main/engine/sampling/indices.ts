import { ScaleGenerator } from './generator.js';
import type { DrawOptions } from './quantiser.js';

// l tokens · V codebook entries

/**
 * Draws one codebook index per row of guided logits `[l, V]`: arg-max at temperature 0, else top-k, then top-p, then
 * by probability. Ties go to the lower index.
 */
export function drawIndices(
  guided: Float32Array,
  entries: number,
  { options, scale }: { options: DrawOptions; scale: number },
): Uint16Array {
  const random = new ScaleGenerator(options.seed, scale);
  const indices = new Uint16Array(guided.length / entries);
  for (let token = 0; token < indices.length; token++) {
    const row = guided.subarray(token * entries, (token + 1) * entries);
    indices[token] = options.temperature === 0 ? largest(row) : drawRow(row, options, random.next());
  }
  return indices;
}

function largest(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/** The entry on which `share` of all that might be drawn falls. */
function drawRow(row: Float32Array, options: DrawOptions, share: number): number {
  const { entries, weights } = drawable(row, options);
  const total = sum(weights, weights.length);
  let reached = 0;
  for (const [i, entry] of entries.entries()) {
    reached += weights[i]!;
    if (share * total < reached) return entry;
  }
  return entries.at(-1)!;
}

/** How sure every token is, `[l]`: the logarithm of its probability among what might have been drawn. At temperature 0 as at 1. */
export function certaintyOfIndices(
  guided: Float32Array,
  tokens: ArrayLike<number>,
  { entries: width, ...options }: DrawOptions & { readonly entries: number },
): Float32Array {
  return Float32Array.from(tokens, (token, i) => {
    const row = guided.subarray(i * width, (i + 1) * width);
    // Sorting takes most of the time, and where all may be drawn there is no need to.
    if (options.topK === 0 && options.topP === 1)
      return row[token]! / (options.temperature || 1) - logSumExp(row, options.temperature || 1);
    const { entries, weights } = drawable(row, { ...options, temperature: options.temperature || 1 });
    const place = entries.indexOf(token);
    return place < 0 ? -Infinity : Math.log(weights[place]! / sum(weights, weights.length));
  });
}

function logSumExp(row: Float32Array, temperature: number): number {
  const top = row[largest(row)]!;
  let total = 0;
  for (const value of row) total += Math.exp((value - top) / temperature);
  return top / temperature + Math.log(total);
}

/** The likeliest entries in falling order until `topP` is covered, and their probabilities, the first one's as 1. */
function drawable(row: Float32Array, { temperature, topK, topP }: DrawOptions): { entries: readonly number[]; weights: readonly number[] } {
  const kept = likeliest(row, topK);
  const top = row[kept[0]!]!;
  const weights = kept.map((entry) => Math.exp((row[entry]! - top) / temperature));
  const count = nucleus(weights, topP);
  return { entries: kept.slice(0, count), weights: weights.slice(0, count) };
}

/** Entries in falling order of their logits, at most `count` of them (0 = all). */
function likeliest(row: Float32Array, count: number): readonly number[] {
  const wanted = count > 0 ? Math.min(count, row.length) : row.length;
  // Sorting bare numbers is much faster than sorting entries: first find how low the wanted ones reach.
  const least = row.slice().sort()[row.length - wanted]!;
  const reaching = Array.from(row.keys()).filter((entry) => row[entry]! >= least);
  return reaching.sort((a, b) => row[b]! - row[a]! || a - b).slice(0, wanted);
}

/** How many of the falling weights it takes to cover `topP` of them. */
function nucleus(weights: readonly number[], topP: number): number {
  const wanted = topP * sum(weights, weights.length);
  let reached = 0;
  for (const [i, weight] of weights.entries()) {
    reached += weight;
    if (reached >= wanted) return i + 1;
  }
  return weights.length;
}

function sum(weights: readonly number[], count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i]!;
  return total;
}
