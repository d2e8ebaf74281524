import type { InstructionReport } from '#contract/api.js';
import { spelledAlike } from './spelling.js';

const SUGGESTIONS = 6;
const ARTICLE = /^(?:an?|the)\s+/u;

export interface FoundClass {
  /** The class's number; absent where the instruction names none, or more than one. */
  readonly index?: number;
  readonly report: InstructionReport;
}

/** What packs draw that learned numbered classes: each has one or more names. */
export class ClassNames {
  /** Every name in lower case, with its class. */
  readonly #names: readonly { readonly name: string; readonly index: number }[];

  /** `names[i]` holds the comma-separated names of class i. */
  constructor(names: readonly string[]) {
    this.#names = names.flatMap((list, index) => list.split(',').map((name) => ({ name: name.trim().toLowerCase(), index })));
  }

  /** A class by its number, one of its names, or words that only one class has in its names. */
  find(instruction: string): FoundClass {
    const wish = instruction
      .trim()
      .toLowerCase()
      .replace(/[.!]+$/u, '')
      .replace(ARTICLE, '');
    const matching = this.#matching(wish);
    const classes = new Set(matching.map(({ index }) => index));
    const [index] = classes;
    if (classes.size === 1 && index !== undefined) return { index, report: { unknownWords: [], understands: [], known: true, cut: false } };
    const alike = matching.length > 0 ? matching.map(({ name }) => name) : spelledAlike(wish, this.#all(), SUGGESTIONS);
    const suggestions = [...new Set(alike)].slice(0, SUGGESTIONS);
    return { report: { unknownWords: [{ word: wish, suggestions }], understands: suggestions, known: false, cut: false } };
  }

  #matching(wish: string): readonly { readonly name: string; readonly index: number }[] {
    const exact = this.#names.filter(({ name, index }) => name === wish || String(index) === wish);
    if (exact.length > 0) return exact.slice(0, 1);
    if (wish === '') return [];
    return this.#names.filter(({ name }) => ` ${name} `.includes(` ${wish} `));
  }

  #all(): readonly string[] {
    return this.#names.map(({ name }) => name);
  }
}
