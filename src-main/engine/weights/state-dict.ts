import { MAX_NAME_LENGTH, MAX_TENSORS } from './limits.js';
import { WRAPPERS } from './plain-names.js';
import type { PickleValue, TensorRef } from './pickle-values.js';
import { isTensor, PickleDict } from './pickle-values.js';
import { refused, shown } from './refusal.js';

const MAX_WRAPPERS = 8;
const MAX_NESTING = 64;
/** Values visited while flattening: shared dicts could otherwise multiply without end. */
const MAX_VISITS = 400_000;

export interface StateDict {
  /** Dotted name → tensor, in file order. */
  readonly tensors: ReadonlyMap<string, TensorRef>;
  /** The keys that were unwrapped, outermost first. */
  readonly wrappers: readonly string[];
}

/**
 * Finds the state dict in what a checkpoint holds: unwraps `{"vae": …}` and trainer files, joins
 * nested dicts with dots. Counters, settings and lists are passed over.
 */
export function findStateDict(root: PickleValue, label: string): StateDict {
  if (!(root instanceof PickleDict)) throw refused(`Expected a state dict in ${label} but received another object.`);
  const { dict, wrappers } = unwrap(root);
  const tensors = new Flattening(label).flatten(dict);
  if (tensors.size === 0) throw refused(`Expected tensors in ${label} but it holds none.`);
  return { tensors, wrappers };
}

function unwrap(root: PickleDict): { dict: PickleDict; wrappers: readonly string[] } {
  const wrappers: string[] = [];
  let dict = root;
  while (wrappers.length < MAX_WRAPPERS && ![...dict.entries.values()].some(isWeight)) {
    const inside =
      WRAPPERS.find((key) => holdsWeights(dict.entries.get(key), MAX_WRAPPERS)) ??
      WRAPPERS.find((key) => dict.entries.get(key) instanceof PickleDict);
    if (inside === undefined) break;
    wrappers.push(inside);
    dict = dict.entries.get(inside) as PickleDict;
  }
  return { dict, wrappers };
}

/** Trainers keep their counters as tensors of one element. */
function isWeight(value: PickleValue): boolean {
  return isTensor(value) && value.shape.reduce((product, side) => product * side, 1) > 1;
}

/** Some trainers keep a dict for averaged weights that are not there. */
function holdsWeights(value: PickleValue | undefined, nesting: number): boolean {
  if (!(value instanceof PickleDict) || nesting === 0) return false;
  const values = [...value.entries.values()];
  return values.some(isWeight) || values.slice(0, MAX_NESTING).some((inside) => holdsWeights(inside, nesting - 1));
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
