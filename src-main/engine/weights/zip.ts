import { refused, shown } from './refusal.js';
import type { WeightsFile } from './weights-file.js';

/** One file of the archive: a run of bytes as they lie there. */
export interface ZipEntry {
  readonly name: string;
  /** Its bytes are of no use then: nothing here ever inflates, because tensors are mapped where they lie. */
  readonly compressed: boolean;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const LOCATOR64_SIGNATURE = 0x07064b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;
const MAX_COMMENT_BYTES = 0xffff;
const IN_ZIP64 = 0xffffffff;
const IN_ZIP64_SHORT = 0xffff;
const ZIP64_FIELD = 1;
const ENCRYPTED = 1;
/** One entry per tensor and a few more. */
const MAX_ENTRIES = 100_000;
const MAX_DIRECTORY_BYTES = 32 * 2 ** 20;

interface Directory {
  readonly count: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Where the end records begin: everything else lies before. */
  readonly endBytes: number;
}

interface CentralRecord {
  readonly name: Buffer;
  readonly flags: number;
  readonly method: number;
  readonly packedBytes: number;
  readonly lengthBytes: number;
  readonly headerBytes: number;
  readonly recordBytes: number;
}

/**
 * The entries of a zip archive by name, from its central directory (zip64 included).
 *
 * @throws ExpectedError `weights.refused`
 */
export function readZip(file: WeightsFile): ReadonlyMap<string, ZipEntry> {
  const directory = findDirectory(file);
  const bytes = file.read(directory.offsetBytes, directory.lengthBytes);
  const entries = new Map<string, ZipEntry>();
  let position = 0;
  for (let i = 0; i < directory.count; i++) {
    const record = readRecord(bytes, position, file);
    const entry = locate(record, directory, file);
    if (entries.has(entry.name)) throw refused(`Expected every entry once in ${file.label} but received ${shown(entry.name)} twice.`);
    entries.set(entry.name, entry);
    position += record.recordBytes;
  }
  if (position !== bytes.length) throw damaged(file, `${String(bytes.length - position)} more bytes in its table of contents`);
  return entries;
}

function findDirectory(file: WeightsFile): Directory {
  const tailBytes = Math.min(file.sizeBytes, END_BYTES + MAX_COMMENT_BYTES);
  const tailStart = file.sizeBytes - tailBytes;
  const tail = file.read(tailStart, tailBytes);
  const at = findEnd(tail);
  if (at === undefined) throw refused(`Expected a table of contents at the end of ${file.label} but it is missing (cut download?).`);
  const end = readEnd(tail.subarray(at, at + END_BYTES), tailStart + at, file);
  const directory = readEnd64(tailStart + at, file) ?? end;
  assertDirectory(directory, file);
  return directory;
}

/** The end record is the last thing in the file but its own comment. */
function findEnd(tail: Buffer): number | undefined {
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) === END_SIGNATURE && at + END_BYTES + tail.readUInt16LE(at + 20) === tail.length) return at;
  }
  return undefined;
}

function readEnd(end: Buffer, endBytes: number, file: WeightsFile): Directory {
  const disks = [end.readUInt16LE(4), end.readUInt16LE(6)];
  if (disks.some((disk) => disk !== 0 && disk !== IN_ZIP64_SHORT)) {
    throw refused(`Expected ${file.label} in one piece but received a part of a split archive.`);
  }
  return { count: end.readUInt16LE(10), lengthBytes: end.readUInt32LE(12), offsetBytes: end.readUInt32LE(16), endBytes };
}

function readEnd64(endOffset: number, file: WeightsFile): Directory | undefined {
  const locatorOffset = endOffset - LOCATOR64_BYTES;
  if (locatorOffset < 0) return undefined;
  const locator = file.read(locatorOffset, LOCATOR64_BYTES);
  if (locator.readUInt32LE(0) !== LOCATOR64_SIGNATURE) return undefined;
  const endBytes = readSafe(locator, 8, file);
  if (endBytes + END64_BYTES > locatorOffset) throw damaged(file, 'a zip64 record outside the file');
  const end = file.read(endBytes, END64_BYTES);
  if (end.readUInt32LE(0) !== END64_SIGNATURE) throw damaged(file, 'no zip64 record where one is announced');
  return { count: readSafe(end, 32, file), lengthBytes: readSafe(end, 40, file), offsetBytes: readSafe(end, 48, file), endBytes };
}

function assertDirectory({ count, offsetBytes, lengthBytes, endBytes }: Directory, file: WeightsFile): void {
  if (count > MAX_ENTRIES) throw refused(`Expected at most ${String(MAX_ENTRIES)} entries in ${file.label} but received ${String(count)}.`);
  if (lengthBytes > MAX_DIRECTORY_BYTES) {
    throw refused(`Expected a table of contents below 32 MiB in ${file.label} but received ${String(lengthBytes)} bytes.`);
  }
  if (offsetBytes + lengthBytes > endBytes) throw damaged(file, 'a table of contents outside the file');
}

function readRecord(bytes: Buffer, position: number, file: WeightsFile): CentralRecord {
  if (position + CENTRAL_BYTES > bytes.length) throw damaged(file, 'a table of contents that ends too early');
  const record = bytes.subarray(position);
  if (record.readUInt32LE(0) !== CENTRAL_SIGNATURE) throw damaged(file, 'a table of contents with a wrong signature');
  const nameEnd = CENTRAL_BYTES + record.readUInt16LE(28);
  const extraEnd = nameEnd + record.readUInt16LE(30);
  const recordBytes = extraEnd + record.readUInt16LE(32);
  if (recordBytes > record.length) throw damaged(file, 'a table of contents that ends too early');
  const sizes = readSizes(record, record.subarray(nameEnd, extraEnd), file);
  const name = record.subarray(CENTRAL_BYTES, nameEnd);
  return { name, flags: record.readUInt16LE(8), method: record.readUInt16LE(10), recordBytes, ...sizes };
}

function readSizes(record: Buffer, extra: Buffer, file: WeightsFile): Pick<CentralRecord, 'lengthBytes' | 'packedBytes' | 'headerBytes'> {
  const short = [record.readUInt32LE(24), record.readUInt32LE(20), record.readUInt32LE(42)];
  const wide = short.includes(IN_ZIP64) ? findZip64Field(extra) : Buffer.alloc(0);
  let position = 0;
  // A zip64 field holds only the values that did not fit, in this order.
  const [lengthBytes = 0, packedBytes = 0, headerBytes = 0] = short.map((value) => {
    if (value !== IN_ZIP64) return value;
    if (position + 8 > wide.length) throw damaged(file, 'an entry without its zip64 sizes');
    position += 8;
    return readSafe(wide, position - 8, file);
  });
  return { lengthBytes, packedBytes, headerBytes };
}

function findZip64Field(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === ZIP64_FIELD) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  return Buffer.alloc(0);
}

function locate(record: CentralRecord, directory: Directory, file: WeightsFile): ZipEntry {
  const name = record.name.toString('utf8');
  if ((record.flags & ENCRYPTED) !== 0) throw refused(`Expected readable entries in ${file.label} but ${shown(name)} is encrypted.`);
  const offsetBytes = findData(record, directory, file);
  if (offsetBytes + record.packedBytes > directory.offsetBytes) throw damaged(file, `an entry ${shown(name)} that reaches past the data`);
  const compressed = record.method !== 0 || record.packedBytes !== record.lengthBytes;
  return { name, compressed, offsetBytes, lengthBytes: record.packedBytes };
}

/** The local header has an extra field of its own: PyTorch pads with it so that data begin at 64 bytes. */
function findData(record: CentralRecord, directory: Directory, file: WeightsFile): number {
  const { headerBytes, name } = record;
  if (headerBytes + LOCAL_BYTES + name.length > directory.offsetBytes) throw damaged(file, 'an entry that begins past the data');
  const header = file.read(headerBytes, LOCAL_BYTES + name.length);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw damaged(file, 'an entry without a header');
  if (header.readUInt16LE(26) !== name.length || !header.subarray(LOCAL_BYTES).equals(name)) {
    throw damaged(file, `two names for one entry, one of them ${shown(name.toString('utf8'))}`);
  }
  return headerBytes + LOCAL_BYTES + name.length + header.readUInt16LE(28);
}

function readSafe(bytes: Buffer, offset: number, file: WeightsFile): number {
  const value = bytes.readBigUInt64LE(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(file, `a size of ${String(value)} bytes`);
  return Number(value);
}

function damaged(file: WeightsFile, what: string): Error {
  return refused(`Expected a sound zip archive in ${file.label} but received ${what}.`);
}
