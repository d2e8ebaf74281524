import type { Checkpoint, StoredTensor, StoredType } from './checkpoint.js';
import { checkedBytes } from './extent.js';
import { refused, shown, shownShape } from './refusal.js';
import type { HeaderEntry } from './safetensors-header.js';
import { parseHeader } from './safetensors-header.js';
import type { WeightsFile } from './weights-file.js';
import { withWeightsFile } from './weights-file.js';

/** The header's length stands in front of it as an unsigned 64-bit number. */
const LENGTH_BYTES = 8;
/** The limit of the format's own reader. */
const MAX_HEADER_BYTES = 100_000_000;

const DTYPES: ReadonlyMap<string, StoredType> = new Map([
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['F64', 'float64'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
  ['BOOL', 'bool'],
]);

/**
 * Reads the table of contents of a safetensors file; no tensor data.
 *
 * @throws ExpectedError `weights.refused` naming the first thing that is wrong.
 */
export async function openSafetensors(path: string): Promise<Checkpoint> {
  return withWeightsFile(path, readSafetensors);
}

export function readSafetensors(file: WeightsFile): Checkpoint {
  const headerBytes = readHeaderLength(file);
  const dataStart = LENGTH_BYTES + headerBytes;
  const header = parseHeader(file.read(LENGTH_BYTES, headerBytes), file.label);
  const tensors = new Map<string, StoredTensor>();
  for (const entry of header.entries) tensors.set(entry.name, locate(entry, dataStart, file));
  assertSeamless([...tensors.values()], dataStart, file);
  return { format: 'safetensors', identity: file.identity, tensors, metadata: Object.fromEntries(header.metadata) };
}

function readHeaderLength(file: WeightsFile): number {
  if (file.sizeBytes < LENGTH_BYTES) {
    throw refused(`Expected a safetensors header in ${file.label} but the file has only ${String(file.sizeBytes)} bytes.`);
  }
  // Compared as BigInt: as a number, a length of 2⁶⁴-1 would round and wrap.
  const length = file.read(0, LENGTH_BYTES).readBigUInt64LE(0);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw refused(`Expected a header of at most ${String(MAX_HEADER_BYTES)} bytes in ${file.label} but received ${String(length)}.`);
  }
  if (length > BigInt(file.sizeBytes - LENGTH_BYTES)) {
    throw refused(`Expected the header of ${file.label} inside the file but it claims ${String(length)} bytes (cut download?).`);
  }
  return Number(length);
}

function locate(entry: HeaderEntry, dataStart: number, file: WeightsFile): StoredTensor {
  const { name, shape, begin, end } = entry;
  const dtype = DTYPES.get(entry.dtype);
  if (dtype === undefined) throw refused(`Expected a known type for ${shown(name)} in ${file.label} but received ${shown(entry.dtype)}.`);
  const lengthBytes = checkedBytes(dtype, shape);
  if (lengthBytes === undefined) {
    throw refused(`Expected a shape that fits in memory for ${shown(name)} in ${file.label} but received ${shownShape(shape)}.`);
  }
  if (end < begin) throw refused(`Expected offsets in order for ${shown(name)} in ${file.label} but received ${shownShape([begin, end])}.`);
  if (end - begin !== lengthBytes) {
    const sizes = `${String(lengthBytes)} bytes of ${dtype} ${shownShape(shape)}`;
    throw refused(`Expected ${sizes} for ${shown(name)} in ${file.label} but received ${String(end - begin)}.`);
  }
  return { name, dtype, shape, file: file.identity.path, offsetBytes: dataStart + begin, lengthBytes };
}

/** Every data byte belongs to exactly one tensor: nothing is hidden, shared or cut. */
function assertSeamless(tensors: StoredTensor[], dataStart: number, file: WeightsFile): void {
  tensors.sort((a, b) => a.offsetBytes - b.offsetBytes || a.lengthBytes - b.lengthBytes);
  let end = dataStart;
  for (const { name, offsetBytes, lengthBytes } of tensors) {
    if (offsetBytes > end)
      throw refused(`Expected no hole before ${shown(name)} in ${file.label} but ${String(offsetBytes - end)} bytes lie there.`);
    if (offsetBytes < end)
      throw refused(`Expected no overlap at ${shown(name)} in ${file.label} but it shares ${String(end - offsetBytes)} bytes.`);
    end = offsetBytes + lengthBytes;
    if (end > file.sizeBytes) throw refused(`Expected ${shown(name)} inside ${file.label} but the file ends before it (cut download?).`);
  }
  if (end < file.sizeBytes)
    throw refused(`Expected ${file.label} to end after its tensors but ${String(file.sizeBytes - end)} bytes follow.`);
}
