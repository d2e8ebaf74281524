import { ExpectedError } from '#contract/errors.js';

/** Longest piece of a hostile name that an error repeats. */
const SHOWN_LENGTH = 120;

/** The file is not something that we read: one sentence that names the reason. */
export function refused(sentence: string, cause?: unknown): ExpectedError {
  return new ExpectedError('weights.refused', sentence, { cause });
}

/** A name from a file, safe to print: cut, and without control, format or line characters. */
export function shown(name: string): string {
  const cut = name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
  return cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A shape as PyTorch prints it. */
export function shownShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
