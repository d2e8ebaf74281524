import { Tokenizer } from '@huggingface/tokenizers';
import { ExpectedError } from '#contract/errors.js';
import type { EncodedPrompt, PromptTokenizer } from './encoded-prompt.js';

/** A literal control token would end the text where it stands: broken up, the model reads it as text. */
const CONTROL = /<\|(?=(?:start|end)oftext\|>)/giu;
const LONE_SURROGATE = /\p{Surrogate}/gu;

interface ClipLimits {
  readonly maxTokens: number;
  /** Rows of the encoders' tables. */
  readonly words: number;
}

/** The byte-pair tokenizer that lies beside a CLIP (`tokenizer.json`). */
export class ClipTokenizer implements PromptTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #limits: ClipLimits;

  /** @throws ExpectedError `pack.damaged` where the file describes no tokenizer, or not one of CLIP with as many words. */
  constructor(file: unknown, limits: ClipLimits) {
    this.#limits = limits;
    try {
      this.#tokenizer = new Tokenizer(file as object, {});
    } catch (cause) {
      throw new ExpectedError('pack.damaged', 'Expected a tokenizer.json of CLIP but it describes no tokenizer.', { cause });
    }
    const { ids } = this.#tokenizer.encode('');
    if (ids.length !== 2 || ids.some((id) => id >= limits.words)) {
      throw new ExpectedError('pack.damaged', `Expected a tokenizer.json of CLIP with ${limits.words} words but it is of another kind.`);
    }
  }

  /** Token ids, at most `maxTokens`, between those that begin and end a text. */
  encode(prompt: string): EncodedPrompt {
    const { maxTokens } = this.#limits;
    const text = prompt.replaceAll(LONE_SURROGATE, '\ufffd').replaceAll(CONTROL, '< |');
    const { ids } = this.#tokenizer.encode(text);
    if (ids.length <= maxTokens) return { ids, cut: false };
    return { ids: [...ids.slice(0, maxTokens - 1), ...ids.slice(-1)], cut: true };
  }
}
