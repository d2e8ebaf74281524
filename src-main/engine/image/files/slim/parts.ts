import type { Source } from './source.js';

/** Larger metadata is a bomb or a mistake: real profiles and EXIF blocks stay far below. */
export const MAX_METADATA_BYTES = 1_000_000;
/** More pieces of metadata than any program writes. */
const MOST_PIECES = 4096;
/** Of the pixels, where only the facts are wanted. */
export const FEW_PIXELS_BYTES = 64 * 1024;

/** Of a file, from one byte to before another. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

type Part = Uint8Array | Stretch | { readonly zeros: number };

/** What of a file is kept, in order, and what is not. */
export class Parts {
  readonly #parts: Part[] = [];
  readonly #patches: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  #bytes = 0;
  /** Some of it is gone that would have been kept were it smaller. */
  leftOut = false;
  /** Is it still the file as it was? */
  whole = true;

  get bytes(): number {
    return this.#bytes;
  }

  keep(from: number, to: number): void {
    if (!(to > from)) return;
    const last = this.#parts.at(-1);
    if (last && 'to' in last && last.to === from) this.#parts[this.#parts.length - 1] = { from: last.from, to };
    else this.#parts.push({ from, to });
    this.#bytes += to - from;
  }

  put(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    this.whole = false;
  }

  /** Zeros in its place: memory that nobody writes to takes none. */
  blank(from: number, to: number): void {
    this.#parts.push({ zeros: to - from });
    this.#bytes += to - from;
    this.whole = false;
  }

  /** All that the file holds, with zeros in place of these stretches. */
  keepAllBut(unwanted: readonly Stretch[], length: number): void {
    let at = 0;
    for (const { from, to } of inOrder(unwanted)) {
      if (from > at) this.keep(at, from);
      if (to > at) this.blank(Math.max(at, from), to);
      at = Math.max(at, to);
    }
    if (length > at) this.keep(at, length);
  }

  /** These stretches in their places, and zeros in place of all else. */
  keepOnly(wanted: readonly Stretch[], length: number): void {
    let at = 0;
    for (const { from, to } of inOrder(wanted)) {
      if (from > at) this.blank(at, from);
      if (to > at) this.keep(Math.max(at, from), to);
      at = Math.max(at, to);
    }
    if (length > at) this.blank(at, length);
  }

  /** Other bytes at a place of the result. */
  patch(at: number, bytes: Uint8Array): void {
    this.#patches.push({ at, bytes });
  }

  drop(told: boolean): void {
    this.whole = false;
    this.leftOut ||= told;
  }

  from(source: Source): Uint8Array {
    const bytes = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      if ('zeros' in part) at += part.zeros;
      else if ('to' in part) source.copy(part.from, bytes.subarray(at, (at += part.to - part.from)));
      else bytes.set(part, (at += part.length) - part.length);
    }
    for (const patch of this.#patches) bytes.set(patch.bytes, patch.at);
    return bytes;
  }
}

/** How much of each kind of metadata is kept. */
export class Budget {
  readonly #spent = new Map<string, number>();
  #pieces = 0;

  /** No piece counts any more: whoever walks need not look at what it is. */
  get isSpent(): boolean {
    return this.#pieces >= MOST_PIECES;
  }

  take(kind: string, bytes: number): boolean {
    const spent = (this.#spent.get(kind) ?? 0) + bytes;
    this.#spent.set(kind, spent);
    this.#pieces++;
    return spent <= MAX_METADATA_BYTES && this.#pieces <= MOST_PIECES;
  }
}

function inOrder(stretches: readonly Stretch[]): readonly Stretch[] {
  return stretches.toSorted((a, b) => a.from - b.from);
}
