/** A field: numbers as SHORT, pairs as RATIONAL, text as ASCII, and a directory of its own behind a link. */
export type ExifValue = number | readonly [number, number] | string | ExifDirectory;
export interface ExifDirectory {
  readonly [tag: number]: ExifValue;
}

/** An EXIF block by hand, little endian, without the prefix. */
export function exifOfHand(first: ExifDirectory): Uint8Array {
  const parts: Buffer[] = [];
  let end = 8;
  const append = (part: Buffer) => {
    const at = end;
    parts.push(part);
    end += part.length;
    return at;
  };
  const write = (directory: ExifDirectory): number => {
    const fields = Object.entries(directory as Readonly<Record<string, ExifValue>>).map(([tag, value]) =>
      entryOf(Number(tag), value, { append, write }),
    );
    const count = Buffer.alloc(2);
    count.writeUInt16LE(fields.length);
    return append(Buffer.concat([count, ...fields, Buffer.alloc(4)]));
  };
  const at = write(first);
  const head = Buffer.from('II*\0\0\0\0\0', 'latin1');
  head.writeUInt32LE(at, 4);
  return new Uint8Array(Buffer.concat([head, ...parts]));
}

interface Block {
  readonly append: (part: Buffer) => number;
  readonly write: (directory: ExifDirectory) => number;
}

function entryOf(tag: number, value: ExifValue, { append, write }: Block): Buffer {
  const entry = Buffer.alloc(12);
  const put = (type: number, count: number, long: number) => {
    entry.writeUInt16LE(tag, 0);
    entry.writeUInt16LE(type, 2);
    entry.writeUInt32LE(count, 4);
    entry.writeUInt32LE(long, 8);
  };
  if (typeof value === 'number') put(3, 1, value);
  else if (typeof value === 'string') {
    const text = Buffer.from(`${value}\0`, 'latin1');
    put(2, text.length, text.length <= 4 ? Buffer.concat([text, Buffer.alloc(4)]).readUInt32LE(0) : append(text));
  } else if (isPair(value)) {
    const pair = Buffer.alloc(8);
    value.forEach((number, i) => pair.writeUInt32LE(number, i * 4));
    put(5, 1, append(pair));
  } else put(4, 1, write(value));
  return entry;
}

function isPair(value: ExifValue): value is readonly [number, number] {
  return Array.isArray(value);
}
