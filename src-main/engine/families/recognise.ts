import { ExpectedError } from '#contract/errors.js';
import type { Checkpoint } from '#engine/weights/checkpoint.js';
import { Weights } from '#engine/weights/handle.js';
import { everyFamily, everyNetwork } from './list.js';
import type { NetworkShape } from './network.js';

export type Recognition = { readonly model: NetworkShape } | { readonly model: null; readonly reason: string };

/** Tells the network from names and shapes. The file's name and metadata have no say, nor has the order of the families. */
export function recognise(checkpoint: Checkpoint): Recognition {
  const weights = Weights.of(checkpoint);
  const [network, another] = everyNetwork().filter((candidate) => candidate.fits(weights));
  if (!network) return { model: null, reason: strangeness(weights) };
  if (another) return { model: null, reason: `Expected one network but these are the names of ${network.name} and of ${another.name}.` };
  try {
    return { model: network.read(weights) };
  } catch (error) {
    if (error instanceof ExpectedError) return { model: null, reason: error.message };
    throw error;
  }
}

function strangeness(weights: Weights): string {
  const stranger = everyFamily()
    .flatMap((family) => family.strangers ?? [])
    .find(({ has }) => weights.has(has));
  return stranger?.reason ?? `Expected the tensors of ${titles()} transformer or its tokenizer but received other names.`;
}

function titles(): string {
  const all = everyFamily().map(({ title }) => title);
  return `an ${all.slice(0, -1).join(', ')} or ${all.at(-1) ?? ''}`;
}
