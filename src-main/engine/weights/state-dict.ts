import { MAX_NAME_LENGTH, MAX_TENSORS } from './limits.js';
import type { PickleValue, TensorRef } from './pickle-values.js';
import { isTensor, PickleDict } from './pickle-values.js';
import { refused, shown } from './refusal.js';
import { unwrapped, type Unwrapped } from './wrappers.js';

const MAX_NESTING = 64;
/** Values visited while flattening: shared dicts could otherwise multiply without end. */
const MAX_VISITS = 400_000;

/**
 * Finds the state dict in what a checkpoint holds: joins nested dicts with dots, and unwraps `{"vae": …}` and trainer files.
 * Counters, settings and lists are passed over. Names are in file order.
 */
export function findStateDict(root: PickleValue, label: string): Unwrapped<TensorRef> {
  if (!(root instanceof PickleDict)) throw refused(`Expected a state dict in ${label} but received another object.`);
  const tensors = new Flattening(label).flatten(root);
  if (tensors.size === 0) throw refused(`Expected tensors in ${label} but it holds none.`);
  return unwrapped(tensors);
}

class Flattening {
  readonly #label: string;
  readonly #tensors = new Map<string, TensorRef>();
  #visits = 0;

  constructor(label: string) {
    this.#label = label;
  }

  flatten(dict: PickleDict): ReadonlyMap<string, TensorRef> {
    this.#visit(dict, '', 0);
    return this.#tensors;
  }

  #visit(dict: PickleDict, prefix: string, nesting: number): void {
    if (nesting > MAX_NESTING) throw refused(`Expected at most ${String(MAX_NESTING)} nested dicts in ${this.#label} but received more.`);
    for (const [key, value] of dict.entries) {
      this.#visits += 1;
      if (this.#visits > MAX_VISITS) throw refused(`Expected at most ${String(MAX_VISITS)} values in ${this.#label} but received more.`);
      if (isTensor(value)) this.#add(this.#name(prefix, String(key)), value);
      else if (value instanceof PickleDict) this.#visit(value, `${this.#name(prefix, String(key))}.`, nesting + 1);
    }
  }

  #name(prefix: string, key: string): string {
    const name = prefix + key;
    if (name.length > MAX_NAME_LENGTH) {
      throw refused(`Expected names of at most ${String(MAX_NAME_LENGTH)} characters in ${this.#label} but received ${shown(name)}.`);
    }
    return name;
  }

  #add(name: string, tensor: TensorRef): void {
    if (this.#tensors.has(name)) throw refused(`Expected every tensor once in ${this.#label} but received ${shown(name)} twice.`);
    if (this.#tensors.size >= MAX_TENSORS)
      throw refused(`Expected at most ${String(MAX_TENSORS)} tensors in ${this.#label} but received more.`);
    this.#tensors.set(name, tensor);
  }
}
