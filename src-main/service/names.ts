import { splitName } from '#base/file-name.js';

const MAX_NAME_LETTERS = 120;
/** Control characters, and the marks that make text run backwards (RLO and its kin). */
const DECEIVING = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const UNSAFE_IN_FILES = /[<>:"/\\|?*]/gu;
const RESERVED_ON_WINDOWS = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;

/** A name from outside as one harmless line of text: deceiving characters appear as escapes. */
export function shownName(name: string): string {
  return name.replace(DECEIVING, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);
}

/** A name from outside as a plain file name that every system takes. */
export function safeFileName(name: string): string {
  // Through UTF-8 and back: lone surrogates have no place in file names.
  const base = Buffer.from(name).toString().split(/[/\\]/u).at(-1) ?? '';
  const plain = base
    .replace(DECEIVING, '')
    .replace(UNSAFE_IN_FILES, '_')
    .replace(/^[.\s]+|[.\s]+$/gu, '');
  const { stem, extension } = splitName(plain);
  const short = Array.from(stem).slice(0, MAX_NAME_LETTERS).join('');
  if (short === '') return `picture${extension}`;
  return RESERVED_ON_WINDOWS.test(short) ? `_${short}${extension}` : `${short}${extension}`;
}
