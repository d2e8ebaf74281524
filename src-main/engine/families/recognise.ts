import { ExpectedError } from '#contract/errors.js';
import type { Checkpoint } from '#engine/weights/checkpoint.js';
import { Weights } from '#engine/weights/handle.js';
import { shown } from '#engine/weights/refusal.js';
import { everyFamily, everyNetwork } from './list.js';
import type { NetworkShape } from './network.js';

export type Recognition = { readonly model: NetworkShape } | { readonly model: null; readonly reason: string };

/** Tells the network from names and shapes. The file's name and metadata have no say, nor has the order of the families. */
export function recognise(checkpoint: Checkpoint): Recognition {
  const weights = Weights.of(checkpoint);
  const [network, another] = everyNetwork().filter((candidate) => candidate.fits(weights));
  if (!network) return { model: null, reason: strangeness(weights) ?? unknownNames(checkpoint) };
  if (another) return { model: null, reason: `Expected one network but these are the names of ${network.name} and of ${another.name}.` };
  try {
    return { model: network.read(weights) };
  } catch (error) {
    if (error instanceof ExpectedError) return { model: null, reason: error.message };
    throw error;
  }
}

function strangeness(weights: Weights): string | undefined {
  const strangers = everyFamily().flatMap((family) => family.strangers ?? []);
  return strangers.find(({ has }) => weights.has(has))?.reason;
}

function titles(): string {
  const all = everyFamily().map(({ title }) => title);
  return `an ${all.slice(0, -1).join(', ')} or ${all.at(-1) ?? ''}`;
}

/** The most that a sentence can name. */
const MOST_GROUPS = 4;

/** Says where the tensors lie, and how the ones of a network among them become a file that opens. */
function unknownNames({ tensors }: Checkpoint): string {
  const counts = new Map<string, number>();
  for (const name of tensors.keys()) {
    const dot = name.indexOf('.');
    if (dot > 0) counts.set(name.slice(0, dot), (counts.get(name.slice(0, dot)) ?? 0) + 1);
  }
  const groups = [...counts].sort(([, a], [, b]) => b - a).slice(0, MOST_GROUPS);
  const expected = `Expected the tensors of ${titles()} transformer or its tokenizer but received other names`;
  if (groups.length === 0) return `${expected}.`;
  const named = groups.map(([group, count]) => `"${shown(group)}." (${String(count)})`).join(', ');
  const largest = groups[0]?.[0] ?? '';
  const way = `torch.save(state["${shown(largest)}"], "model.pth")`;
  return `${expected}: they begin with ${named}. Where one of these is the network, save it alone, with the names that it has inside, as by ${way}.`;
}
