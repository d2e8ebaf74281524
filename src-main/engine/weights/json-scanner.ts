import type { ExpectedError } from '#contract/errors.js';

import { refused, shown } from './refusal.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;
const WHITESPACE: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d]);
const NUMBER_BYTES: ReadonlySet<number | undefined> = new Set(Buffer.from('0123456789+-.eE'));
/** Longer than any double is ever written. */
const MAX_NUMBER_BYTES = 40;

/** Takes JSON apart token by token, on bytes, in one pass and without recursion. */
export class JsonScanner {
  readonly #bytes: Buffer;
  readonly #what: string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #position = 0;

  /** @param what names the text in complaints: "the header of FILE". */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  complaint(expected: string, received: string): ExpectedError {
    return refused(`Expected ${expected} in ${this.#what} but received ${received}.`);
  }

  expect(mark: string): void {
    if (!this.accept(mark)) throw this.complaint(`"${mark}" at byte ${String(this.#position)}`, this.#next());
  }

  /** Steps over `mark`, one punctuation character, if it comes next. */
  accept(mark: string): boolean {
    this.#skipWhitespace();
    if (this.#bytes[this.#position] !== mark.charCodeAt(0)) return false;
    this.#position += 1;
    return true;
  }

  expectEnd(): void {
    this.#skipWhitespace();
    if (this.#position < this.#bytes.length) throw this.complaint(`nothing after byte ${String(this.#position)}`, this.#next());
  }

  string(maxLength: number): string {
    this.expect('"');
    const start = this.#position;
    const escaped = this.#skipString(maxLength);
    const text = this.#decode(start, this.#position - 1);
    return escaped ? this.#unescape(text) : text;
  }

  naturalNumber(what: string): number {
    this.#skipWhitespace();
    const start = this.#position;
    while (NUMBER_BYTES.has(this.#bytes[this.#position]) && this.#position - start < MAX_NUMBER_BYTES) this.#position += 1;
    const text = this.#bytes.toString('latin1', start, this.#position);
    if (text === '') throw this.complaint(`a number for ${what}`, this.#next());
    if (text.startsWith('-')) throw this.complaint(`no negative number for ${what}`, text);
    if (!/^(?:0|[1-9][0-9]*)$/.test(text)) throw this.complaint(`a whole number for ${what}`, text);
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw this.complaint(`a number below 2^53 for ${what}`, text);
    return value;
  }

  /** Moves behind the closing quote; true where the string holds escapes. */
  #skipString(maxLength: number): boolean {
    const limit = this.#position + maxLength;
    let escaped = false;
    for (;;) {
      const byte = this.#bytes[this.#position];
      this.#position += 1;
      if (byte === QUOTE) return escaped;
      if (byte === undefined || byte < FIRST_PRINTABLE) throw this.complaint('a closed string', 'its end or a raw control character');
      if (this.#position > limit) throw this.complaint('a string of ordinary length', `more than ${String(maxLength)} bytes`);
      if (byte === BACKSLASH) {
        escaped = true;
        this.#position += 1;
      }
    }
  }

  #decode(start: number, end: number): string {
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, end));
    } catch (error) {
      throw refused(`Expected UTF-8 in ${this.#what} but received other bytes at ${String(start)}.`, error);
    }
  }

  #unescape(text: string): string {
    try {
      return String(JSON.parse(`"${text}"`));
    } catch (error) {
      throw refused(`Expected JSON escapes in ${this.#what} but received ${shown(text)}.`, error);
    }
  }

  #skipWhitespace(): void {
    while (WHITESPACE.has(this.#bytes[this.#position])) this.#position += 1;
  }

  #next(): string {
    const byte = this.#bytes[this.#position];
    return byte === undefined ? 'the end' : `"${shown(String.fromCharCode(byte))}"`;
  }
}
