import type { InstructionReport } from '#contract/api.js';
import type { TransformerConfig } from '#contract/pack-card.js';
import { spelledAlike } from './spelling.js';

/** The row that stands for no text at all, and the one for a word outside the vocabulary. */
const PAD = 0;
const UNKNOWN = 1;
const SPECIAL = /^<.*>$/u;
const SUGGESTIONS = 3;
type WordText = Extract<TransformerConfig['text'], { kind: 'words' }>;

export interface EncodedInstruction {
  readonly ids: readonly number[];
  readonly report: InstructionReport;
}

/** Instructions for packs that learned their own small vocabulary, word by word. */
export class WordTokenizer {
  readonly #vocabulary: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #maxWords: number;
  readonly #examples: readonly string[];

  /** `examples` are instructions that the pack was trained on, to show where a word was not understood. */
  constructor({ vocabulary, maxWords, examples }: WordText) {
    this.#vocabulary = vocabulary;
    this.#ids = new Map(vocabulary.map((word, id) => [word, id]));
    this.#maxWords = maxWords;
    this.#examples = examples;
  }

  /** Word ids (a single pad where there is no text), and what the pack will not understand. */
  encode(instruction: string): EncodedInstruction {
    const words = instruction.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    const kept = words.slice(0, this.#maxWords);
    const ids = kept.map((word) => this.#ids.get(word) ?? UNKNOWN);
    const unknown = [...new Set(kept.filter((word) => !this.#ids.has(word)))];
    const report: InstructionReport = {
      unknownWords: unknown.map((word) => ({ word, suggestions: this.#nearest(word) })),
      understands: unknown.length > 0 ? this.#examples : [],
      known: ids.some((id) => id !== UNKNOWN),
      cut: words.length > kept.length,
    };
    return { ids: ids.length > 0 ? ids : [PAD], report };
  }

  #nearest(word: string): readonly string[] {
    return spelledAlike(
      word,
      this.#vocabulary.filter((candidate) => !SPECIAL.test(candidate)),
      SUGGESTIONS,
    );
  }
}
