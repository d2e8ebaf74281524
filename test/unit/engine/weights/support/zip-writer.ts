export interface ZipFile {
  readonly name: string;
  readonly data: Uint8Array;
  /** What the local header calls it, where that shall differ. */
  readonly localName?: string;
  readonly method?: number;
  readonly flags?: number;
  /** What the central directory claims, where that shall differ. */
  readonly claimedBytes?: number;
  readonly claimedOffset?: number;
  /** What it would inflate to, where that shall differ from what is stored. */
  readonly unpackedBytes?: number;
}

export interface ZipOptions {
  /** Pads data to 64 bytes through the local extra field, as PyTorch does. */
  readonly align?: boolean;
  /** Writes sizes and offsets into zip64 fields and a zip64 end record. */
  readonly zip64?: boolean;
  readonly disk?: number;
  readonly claimedCount?: number;
  readonly claimedDirectoryOffset?: number;
}

/** A zip archive of stored entries, right or wrong as told. */
export function zip(files: readonly ZipFile[], options: ZipOptions = {}): Buffer {
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const local = localHeader(file, offset, options);
    records.push(centralRecord(file, offset, options));
    parts.push(local, Buffer.from(file.data));
    offset += local.length + file.data.length;
  }
  const directory = Buffer.concat(records);
  return Buffer.concat([...parts, directory, ...endRecords({ count: files.length, offset, bytes: directory.length }, options)]);
}

function localHeader(file: ZipFile, offset: number, options: ZipOptions): Buffer {
  const name = Buffer.from(file.localName ?? file.name);
  const padding = options.align === true ? (64 - ((offset + 30 + name.length + 4) % 64)) % 64 : -4;
  const header = Buffer.alloc(30 + name.length + 4 + padding);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(4 + padding, 28);
  name.copy(header, 30);
  return header;
}

function centralRecord(file: ZipFile, realOffset: number, options: ZipOptions): Buffer {
  const name = Buffer.from(file.name);
  const bytes = file.claimedBytes ?? file.data.length;
  const unpacked = file.unpackedBytes ?? bytes;
  const offset = file.claimedOffset ?? realOffset;
  const extra = options.zip64 === true ? zip64Field([unpacked, bytes, offset]) : Buffer.alloc(0);
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(file.flags ?? 0, 8);
  record.writeUInt16LE(file.method ?? 0, 10);
  record.writeUInt32LE(options.zip64 === true ? 0xffffffff : bytes, 20);
  record.writeUInt32LE(options.zip64 === true ? 0xffffffff : unpacked, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt16LE(extra.length, 30);
  record.writeUInt32LE(options.zip64 === true ? 0xffffffff : offset, 42);
  return Buffer.concat([record, name, extra]);
}

function zip64Field(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  return field;
}

interface DirectoryFacts {
  readonly count: number;
  readonly offset: number;
  readonly bytes: number;
}

function endRecords(real: DirectoryFacts, options: ZipOptions): Buffer[] {
  const count = options.claimedCount ?? real.count;
  const offset = options.claimedDirectoryOffset ?? real.offset;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(options.disk ?? 0, 4);
  end.writeUInt16LE(options.zip64 === true ? 0xffff : count, 10);
  end.writeUInt32LE(options.zip64 === true ? 0xffffffff : real.bytes, 12);
  end.writeUInt32LE(options.zip64 === true ? 0xffffffff : offset, 16);
  if (options.zip64 !== true) return [end];
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  [count, real.bytes, offset].forEach((value, i) => end64.writeBigUInt64LE(BigInt(value), 32 + 8 * i));
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(real.offset + real.bytes), 8);
  return [end64, locator, end];
}
