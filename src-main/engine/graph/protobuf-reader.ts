import { refused } from '#engine/weights/refusal.js';

/** Bytes that are read where they are asked for: a file, or memory. */
export interface ByteSource {
  /** For complaints. */
  readonly label: string;
  readonly sizeBytes: number;
  read(offsetBytes: number, lengthBytes: number): Uint8Array;
}

/** One field of a message: a varint's value, or where the bytes of the others lie. */
export interface ProtoField {
  readonly number: number;
  /** Of varints; else 0. */
  readonly value: bigint;
  /** Whether it is length-delimited: a text, bytes, a message, or packed numbers. */
  readonly delimited: boolean;
  readonly start: number;
  readonly end: number;
}

/** Fields of all messages together: the largest published networks have some hundred thousand. */
const MAX_FIELDS = 5_000_000;
/** Names and the like; data is never read as text. */
const MAX_TEXT_BYTES = 4096;
const WINDOW_BYTES = 64 * 1024;
const MAX_VARINT_BYTES = 10;
/** What fixed 64-bit and 32-bit fields take, by wire type. */
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 8, 5: 4 };
const WIRE_BITS = 7n;

/** Reads protocol-buffer messages field by field; what nobody asks for is skipped, not read. */
export class ProtoReader {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array();
  #windowStart = 0;
  #fields = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get whole(): Pick<ProtoField, 'start' | 'end'> {
    return { start: 0, end: this.#source.sizeBytes };
  }

  complaint(expected: string, received: string): Error {
    return refused(`Expected ${expected} in ${this.#source.label} but received ${received}.`);
  }

  /** @throws ExpectedError `weights.refused` where the bytes are no message. */
  *fields({ start, end }: Pick<ProtoField, 'start' | 'end'>): Generator<ProtoField, void> {
    let position = start;
    while (position < end) {
      if (++this.#fields > MAX_FIELDS) throw this.complaint(`at most ${MAX_FIELDS} fields`, 'more');
      const field = this.#field(position, end);
      yield field;
      position = field.end;
    }
  }

  /** A text field. Invalid UTF-8 is no name. */
  text({ start, end, delimited }: ProtoField): string {
    if (!delimited) throw this.complaint(`a text at byte ${start}`, 'a number');
    if (end - start > MAX_TEXT_BYTES) throw this.complaint(`a text of at most ${MAX_TEXT_BYTES} bytes`, `${end - start} bytes`);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(this.#source.read(start, end - start));
    } catch (cause) {
      if (cause instanceof TypeError) throw this.complaint(`UTF-8 at byte ${start}`, 'other bytes');
      throw cause;
    }
  }

  /** The numbers of a repeated integer field, packed or one by one. */
  *integers(field: ProtoField): Generator<bigint, void> {
    if (!field.delimited) yield field.value;
    else
      for (let at = field.start; at < field.end;) {
        const number = this.#varint(at, field.end);
        yield number.value;
        at = number.end;
      }
  }

  #field(position: number, limit: number): ProtoField {
    const key = this.#varint(position, limit);
    const [number, wire] = [Number(key.value >> 3n), Number(key.value & WIRE_BITS)];
    if (wire === 0) {
      const varint = this.#varint(key.end, limit);
      return { number, value: varint.value, delimited: false, start: key.end, end: varint.end };
    }
    const length = wire === 2 ? this.#varint(key.end, limit) : { value: BigInt(this.#fixedBytes(wire, position)), end: key.end };
    if (length.value > BigInt(limit - length.end))
      throw this.complaint(`a field inside its message at byte ${position}`, `${length.value} bytes (cut download?)`);
    return { number, value: 0n, delimited: wire === 2, start: length.end, end: length.end + Number(length.value) };
  }

  #fixedBytes(wire: number, position: number): number {
    const bytes = FIXED_BYTES[wire];
    if (bytes === undefined) throw this.complaint(`a protocol-buffer field at byte ${position}`, `wire type ${wire}`);
    return bytes;
  }

  #varint(position: number, limit: number): { readonly value: bigint; readonly end: number } {
    let value = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES && position + i < limit; i++) {
      const byte = this.#byte(position + i);
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: position + i + 1 };
    }
    throw this.complaint(`a number at byte ${position}`, 'something else');
  }

  #byte(position: number): number {
    const at = position - this.#windowStart;
    const known = at >= 0 ? this.#window[at] : undefined;
    if (known !== undefined) return known;
    this.#windowStart = position;
    this.#window = this.#source.read(position, Math.min(WINDOW_BYTES, this.#source.sizeBytes - position));
    return this.#window[0]!;
  }
}
