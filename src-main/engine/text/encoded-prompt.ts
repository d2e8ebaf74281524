/** A prompt as its tokenizer cuts it. */
export interface EncodedPrompt {
  readonly ids: readonly number[];
  /** Whether the end of the text was left out. */
  readonly cut: boolean;
}

export interface PromptTokenizer {
  encode(prompt: string): EncodedPrompt;
}
