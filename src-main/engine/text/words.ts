import type { InstructionReport } from '#contract/api.js';
import type { TransformerConfig } from '#contract/pack-card.js';
import { englishOf, germanWords, isGerman } from './german.js';
import { placesLast } from './places.js';
import { spelledAlike } from './spelling.js';

/** The row that stands for no text at all, and the one for a word outside the vocabulary. */
const PAD = 0;
const UNKNOWN = 1;
const SPECIAL = /^<.*>$/u;
const SUGGESTIONS = 3;
/** "Don't make it warmer" would warm it: what is left out is the one word that such a pack does not know. */
const NEGATION = /\b(?:not|dont|never|nicht|nie|niemals)\b|n['’]t\b/iu;
/** What stands somewhere in a picture, of all that the built-in packs know. */
const THINGS = new Set(
  'ball sphere globe box cube crate pyramid triangle star ring hoop heart diamond house home building cottage tree pine car automobile vehicle'.split(
    ' ',
  ),
);
type WordText = Extract<TransformerConfig['text'], { kind: 'words' }>;

export interface EncodedInstruction {
  readonly ids: readonly number[];
  readonly report: InstructionReport;
}

/** Instructions for packs that learned their own small vocabulary, word by word; German ones in its English words. */
export class WordTokenizer {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #known: ReadonlySet<string>;
  readonly #maxWords: number;
  readonly #examples: readonly string[];

  /** `examples` are instructions that the pack was trained on, to show where a word was not understood. */
  constructor({ vocabulary, maxWords, examples }: WordText) {
    this.#ids = new Map(vocabulary.map((word, id) => [word, id]));
    this.#known = new Set(vocabulary.filter((word) => !SPECIAL.test(word)));
    this.#maxWords = maxWords;
    this.#examples = examples;
  }

  /** The words that the pack is told. */
  read(instruction: string): readonly string[] {
    const words = wordsOf(instruction);
    return placesLast(isGerman(words, this.#known) ? englishOf(words) : words, THINGS);
  }

  /** Word ids (a single pad where there is no text), and what the pack will not understand. */
  encode(instruction: string): EncodedInstruction {
    const words = this.read(instruction);
    const kept = words.slice(0, this.#maxWords);
    const ids = kept.map((word) => this.#ids.get(word) ?? UNKNOWN);
    const unknown = [...new Set(kept.filter((word) => !this.#ids.has(word)))];
    const candidates = isGerman(wordsOf(instruction), this.#known) ? [...germanWords(), ...this.#known] : [...this.#known];
    const report: InstructionReport = {
      unknownWords: unknown.map((word) => ({ word, suggestions: spelledAlike(word, candidates, SUGGESTIONS) })),
      understands: unknown.length > 0 ? this.#examples : [],
      known: ids.some((id) => id !== UNKNOWN),
      cut: words.length > kept.length,
      ...(NEGATION.test(instruction) && { negated: true }),
    };
    return { ids: ids.length > 0 ? ids : [PAD], report };
  }
}

/** In lower case, without what stands between them. */
export function wordsOf(instruction: string): readonly string[] {
  return instruction.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
