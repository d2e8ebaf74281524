import { readSync } from 'node:fs';

const WINDOW_BYTES = 256 * 1024;
/** A window begins somewhat before what is asked for: readers go forwards, and look back a little. */
const BACK_BYTES = 64;

/** A file to walk through: in memory, or on the disk through a window. Numbers beyond its end are NaN, as of a typed array's undefined. */
export class Source {
  readonly length: number;
  readonly #fd: number | undefined;
  #window: Uint8Array;
  #from = 0;

  private constructor(length: number, window: Uint8Array, fd?: number) {
    this.length = length;
    this.#window = window;
    this.#fd = fd;
  }

  static of(bytes: Uint8Array): Source {
    return new Source(bytes.length, bytes);
  }

  static ofFile(fd: number, length: number): Source {
    return new Source(length, new Uint8Array(), fd);
  }

  u8(at: number): number {
    const byte = this.#window[at - this.#from];
    return byte ?? this.#readAround(at);
  }

  u16(at: number, little = false): number {
    const [a, b] = [this.u8(at), this.u8(at + 1)];
    return little ? b * 0x100 + a : a * 0x100 + b;
  }

  u32(at: number, little = false): number {
    const bytes = this.#window;
    const i = at - this.#from;
    // Files of a million pieces are walked through by this.
    if (!little && i >= 0 && i + 4 <= bytes.length)
      return bytes[i]! * 0x1000000 + ((bytes[i + 1]! << 16) | (bytes[i + 2]! << 8) | bytes[i + 3]!);
    const [a, b] = [this.u16(at, little), this.u16(at + 2, little)];
    return little ? b * 0x10000 + a : a * 0x10000 + b;
  }

  /** Inexact beyond 2^53, where no file reaches. */
  u64(at: number, little = false): number {
    const [a, b] = [this.u32(at, little), this.u32(at + 4, little)];
    return little ? b * 2 ** 32 + a : a * 2 ** 32 + b;
  }

  latin(at: number, length: number): string {
    return Buffer.from(this.bytes(at, length)).toString('latin1');
  }

  /** Fewer at the end. */
  bytes(at: number, length: number): Uint8Array {
    const to = Math.min(this.length, at + length);
    if (at >= this.#from && to <= this.#from + this.#window.length) return this.#window.subarray(at - this.#from, to - this.#from);
    const bytes = new Uint8Array(Math.max(0, to - at));
    this.copy(at, bytes);
    return bytes;
  }

  copy(at: number, into: Uint8Array): void {
    if (this.#fd === undefined) {
      into.set(this.#window.subarray(at, at + into.length));
      return;
    }
    for (let done = 0; done < into.length;) {
      const read = readSync(this.#fd, into, done, into.length - done, at + done);
      if (read === 0) return;
      done += read;
    }
  }

  #readAround(at: number): number {
    if (this.#fd === undefined || !(at >= 0 && at < this.length)) return Number.NaN;
    this.#from = Math.max(0, at - BACK_BYTES);
    const window = new Uint8Array(Math.min(WINDOW_BYTES, this.length - this.#from));
    this.copy(this.#from, window);
    this.#window = window;
    return window[at - this.#from] ?? Number.NaN;
  }
}
