import { inflateSync } from 'node:zlib';

// The codecs of TIFF 6.0 that need no table of their own: none, LZW, PackBits; and deflate (Adobe's technical notes).

/** `length` bytes of a strip or tile; what is missing stays 0, and undefined is for what cannot be read at all. */
export function decompress(data: Uint8Array, compression: number, length: number): Uint8Array | undefined {
  switch (compression) {
    case 1:
      return data;
    case 5:
      return unpackLzw(data, length);
    case 32_773:
      return unpackBits(data, length);
    default:
      return inflated(data, length);
  }
}

function inflated(data: Uint8Array, length: number): Uint8Array | undefined {
  try {
    // Some writers make tiles a little longer than they say.
    return inflateSync(data, { maxOutputLength: length * 2 + 1024 });
  } catch {
    return undefined;
  }
}

function unpackBits(data: Uint8Array, length: number): Uint8Array {
  const result = new Uint8Array(length);
  for (let at = 0, to = 0; at < data.length && to < length;) {
    const head = data[at++]!;
    if (head < 128) {
      result.set(data.subarray(at, Math.min(at + head + 1, at + length - to)), to);
      at += head + 1;
      to += head + 1;
    } else if (head > 128) {
      result.fill(data[at++] ?? 0, to, Math.min(length, to + 257 - head));
      to += 257 - head;
    }
  }
  return result;
}

const CLEAR = 256;
const END = 257;
const FIRST = 258;
const TABLE = 4096;

/** LZW as TIFF writes it: highest bit first, and codes grow one entry early. */
function unpackLzw(data: Uint8Array, length: number): Uint8Array | undefined {
  if (data[0] === 0 && (data[1]! & 1) === 1) return undefined; // the old kind, lowest bit first
  const entries = new LzwEntries(length);
  const codes = codesOf(data, () => entries.width);
  for (const code of codes) if (code === END || !entries.take(code)) break;
  return entries.result;
}

/** Codes of a width that changes as they are read. */
function* codesOf(data: Uint8Array, width: () => number): Generator<number, void> {
  let [bits, held] = [0, 0];
  for (let at = 0; ;) {
    const wanted = width();
    while (bits < wanted && at < data.length) {
      held = ((held << 8) | data[at++]!) & 0xffffff;
      bits += 8;
    }
    if (bits < wanted) return;
    bits -= wanted;
    yield (held >>> bits) & ((1 << wanted) - 1);
  }
}

/** Each entry is a piece of what was written already: where it begins, and how long it is. */
class LzwEntries {
  readonly result: Uint8Array;
  width = 9;
  readonly #starts = new Int32Array(TABLE);
  readonly #lengths = new Int32Array(TABLE);
  #next = FIRST;
  #to = 0;
  /** Where the piece before this one began; −1 behind a clear code. */
  #last = -1;

  constructor(length: number) {
    this.result = new Uint8Array(length);
  }

  /** False where the result is full, or the code is none. */
  take(code: number): boolean {
    if (code === CLEAR) {
      [this.#next, this.width, this.#last] = [FIRST, 9, -1];
      return true;
    }
    const start = this.#to;
    if (start >= this.result.length || code > this.#next || (code >= this.#next && this.#last < 0)) return false;
    if (code < CLEAR) this.result[this.#to++] = code;
    else if (code === this.#next) this.#copy(this.#last, start - this.#last + 1);
    else this.#copy(this.#starts[code]!, this.#lengths[code]!);
    if (this.#last >= 0 && this.#next < TABLE) {
      this.#starts[this.#next] = this.#last;
      this.#lengths[this.#next++] = start - this.#last + 1;
    }
    this.#last = start;
    this.width = Math.max(9, Math.min(12, 32 - Math.clz32(this.#next + 1)));
    return true;
  }

  #copy(from: number, length: number): void {
    const end = Math.min(this.result.length, this.#to + length);
    for (let at = from; this.#to < end; at++) this.result[this.#to++] = this.result[at]!;
  }
}
