import { Tokenizer } from '@huggingface/tokenizers';
import { ExpectedError } from '#contract/errors.js';
import { Charsmap } from './charsmap.js';
import type { EncodedPrompt, PromptTokenizer } from './encoded-prompt.js';

/** Between the first character and the rest of a literal control token: the model must read it as text. */
const BREAK = ' ';
const CONTROL = /<(?=\/s>|pad>|unk>|extra_id_\d+>)/gu;

const LONE_SURROGATE = /\p{Surrogate}/gu;

/** The tokenizer that lies beside a T5 checkpoint (`tokenizer.json`). */
export class T5Tokenizer implements PromptTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #charsmap: Charsmap | undefined;
  readonly #maxTokens: number;

  /** @throws ExpectedError `pack.damaged` where the file describes no tokenizer. */
  constructor(file: unknown, maxTokens: number) {
    this.#maxTokens = maxTokens;
    const { charsmap, rest } = withoutCharsmap(file);
    this.#charsmap = charsmap === undefined ? undefined : new Charsmap(charsmap);
    try {
      this.#tokenizer = new Tokenizer(rest as object, {});
    } catch (cause) {
      throw new ExpectedError('pack.damaged', 'Expected a tokenizer.json of T5 but it describes no tokenizer.', { cause });
    }
  }

  /** Token ids, at most `maxTokens`, the end-of-text token last. */
  encode(prompt: string): EncodedPrompt {
    const whole = prompt.replaceAll(LONE_SURROGATE, '\ufffd');
    const normalised = this.#charsmap?.normalise(whole) ?? whole;
    // After the normaliser: full-width letters may spell a control token too.
    const { ids } = this.#tokenizer.encode(normalised.replaceAll(CONTROL, `<${BREAK}`));
    if (ids.length <= this.#maxTokens) return { ids, cut: false };
    const end = ids.slice(-1);
    return { ids: [...ids.slice(0, this.#maxTokens - 1), ...end], cut: true };
  }
}

interface Normaliser {
  readonly type?: unknown;
  readonly precompiled_charsmap?: unknown;
  readonly normalizers?: unknown;
}

/** The library only approximates the table of characters (it drops joiners, for one): it is taken out and applied by us. */
function withoutCharsmap(file: unknown): { readonly charsmap?: string; readonly rest: unknown } {
  if (typeof file !== 'object' || file === null || !('normalizer' in file)) return { rest: file };
  const { normalizer } = file as { readonly normalizer: Normaliser | null };
  const steps =
    normalizer?.type === 'Sequence' && Array.isArray(normalizer.normalizers) ? (normalizer.normalizers as Normaliser[]) : [normalizer];
  const [first, ...others] = steps;
  if (first?.type !== 'Precompiled' || typeof first.precompiled_charsmap !== 'string') return { rest: file };
  const left = others.length === 0 ? null : { type: 'Sequence', normalizers: others };
  return { charsmap: first.precompiled_charsmap, rest: { ...file, normalizer: left } };
}
