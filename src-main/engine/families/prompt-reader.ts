import type { Notice } from '#contract/event.js';
import type { TextInput } from '#engine/tensor/predictor.js';
import type { PromptTokenizer } from '#engine/text/encoded-prompt.js';
import type { EncodeText } from './family.js';

/** Reads prompts token by token. The last one is remembered: another seed or mask asks for the same words. */
export function promptReader(tokenizer: PromptTokenizer, encode: (ids: readonly number[]) => Promise<TextInput>): EncodeText {
  let last: { readonly instruction: string; readonly text: TextInput } | undefined;
  return async (instruction) => {
    const { ids, cut } = tokenizer.encode(instruction);
    if (last?.instruction !== instruction) last = { instruction, text: await encode(ids) };
    const notices: Notice[] = cut ? [{ code: 'instruction.cut', message: 'Only the beginning of the instruction was used.' }] : [];
    return { text: last.text, notices };
  };
}
