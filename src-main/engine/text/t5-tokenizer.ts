import { Tokenizer } from '@huggingface/tokenizers';
import { ExpectedError } from '#contract/errors.js';

/** Between the first character and the rest of a literal control token: the model must read it as text. */
const BREAK = ' ';
const CONTROL = /<(?=\/s>|pad>|unk>|extra_id_\d+>)/gu;

const LONE_SURROGATE = /\p{Surrogate}/gu;

export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** Whether the end of the text was left out. */
  readonly cut: boolean;
}

/** The tokenizer that lies beside a T5 checkpoint (`tokenizer.json`). */
export class T5Tokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #maxTokens: number;

  /** @throws ExpectedError `pack.damaged` where the file describes no tokenizer. */
  constructor(file: unknown, maxTokens: number) {
    this.#maxTokens = maxTokens;
    try {
      this.#tokenizer = new Tokenizer(file as object, {});
    } catch (cause) {
      throw new ExpectedError('pack.damaged', 'Expected a tokenizer.json of T5 but it describes no tokenizer.', { cause });
    }
  }

  /** Token ids, at most `maxTokens`, the end-of-text token last. */
  encode(prompt: string): EncodedPrompt {
    const { ids } = this.#tokenizer.encode(prompt.replaceAll(LONE_SURROGATE, '\ufffd').replaceAll(CONTROL, `<${BREAK}`));
    if (ids.length <= this.#maxTokens) return { ids, cut: false };
    const end = ids.slice(-1);
    return { ids: [...ids.slice(0, this.#maxTokens - 1), ...end], cut: true };
  }
}
