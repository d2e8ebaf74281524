import type { Value } from '#engine/graph/builder.js';

// B rows: the instruction, then under guidance none · T text tokens · C width

/** What a text has become inside the condition graph. */
export interface EncodedText {
  readonly memory: Value; // (B, T, C)
  readonly pooled: Value; // (B, C)
  /** Added to attention scores: hides the slots that hold no text. */
  readonly bias: Value; // (B, 1, 1, T)
}
