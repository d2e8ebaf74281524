const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;
const SEVEN_BITS = 0x7fn;

const utf8 = new TextEncoder();

/**
 * A message in protocol-buffer wire format, written field by field. Parts are kept as they come and
 * joined once at the end, so weights inside nested messages are copied a single time.
 */
export class ProtoMessage {
  readonly #parts: Uint8Array[] = [];
  #lengthBytes = 0;

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** A varint field: int32, int64, bool or enum; negative numbers as two's complement of 64 bits. */
  integer(field: number, value: number | bigint): this {
    return this.#append(varint(key(field, VARINT))).#append(varint(BigInt.asUintN(64, BigInt(value))));
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#append(varint(key(field, FIXED_32))).#append(bytes);
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  /** Keeps `value` itself until `finish`: do not change it before. */
  bytes(field: number, value: Uint8Array): this {
    return this.#append(varint(key(field, LENGTH_DELIMITED)))
      .#append(varint(BigInt(value.length)))
      .#append(value);
  }

  message(field: number, value: ProtoMessage): this {
    this.#append(varint(key(field, LENGTH_DELIMITED))).#append(varint(BigInt(value.lengthBytes)));
    for (const part of value.#parts) this.#append(part);
    return this;
  }

  finish(): Uint8Array {
    const bytes = new Uint8Array(this.#lengthBytes);
    let position = 0;
    for (const part of this.#parts) {
      bytes.set(part, position);
      position += part.length;
    }
    return bytes;
  }

  #append(part: Uint8Array): this {
    this.#parts.push(part);
    this.#lengthBytes += part.length;
    return this;
  }
}

function key(field: number, wireType: number): bigint {
  return BigInt(field * 8 + wireType);
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = Number(rest & SEVEN_BITS);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
