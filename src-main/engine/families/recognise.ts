import { ExpectedError } from '#contract/errors.js';
import type { Checkpoint } from '#engine/weights/checkpoint.js';
import { Weights } from '#engine/weights/handle.js';
import { everyFamily, everyNetwork } from './list.js';
import type { NetworkShape } from './network.js';

export type Recognition = { readonly model: NetworkShape } | { readonly model: null; readonly reason: string };

/** Tells the network from names and shapes. The file's name and metadata have no say, nor has the order of the families. */
export function recognise(checkpoint: Checkpoint): Recognition {
  const weights = Weights.of(checkpoint);
  const strangers = everyFamily().flatMap((family) => family.strangers ?? []);
  const stranger = strangers.find(({ has, lacks }) => weights.has(has) && !weights.has(lacks));
  if (stranger) return { model: null, reason: stranger.reason };
  const [network, another] = everyNetwork().filter((candidate) => candidate.fits(weights));
  if (!network)
    return { model: null, reason: `Expected the tensors of ${titles()} transformer or its tokenizer but received other names.` };
  if (another) return { model: null, reason: `Expected one network but these are the names of ${network.name} and of ${another.name}.` };
  try {
    return { model: network.read(weights) };
  } catch (error) {
    if (error instanceof ExpectedError) return { model: null, reason: error.message };
    throw error;
  }
}

function titles(): string {
  const all = everyFamily().map(({ title }) => title);
  return `an ${all.slice(0, -1).join(', ')} or ${all.at(-1) ?? ''}`;
}
