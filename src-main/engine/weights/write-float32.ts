import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { STORED_BYTES, type Checkpoint, type StoredTensor, type StoredType } from './checkpoint.js';
import { widen } from './floats.js';
import { WeightsFile } from './weights-file.js';

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Read, widened and written at once: memory stays the same whatever the file's size. */
const PIECE_BYTES = 4 * 2 ** 20;
/** The header is padded to this, so that every tensor can be mapped. */
const ALIGNMENT = 8;

const WRITTEN_AS: Partial<Record<StoredType, string>> = { int64: 'I64', int32: 'I32', int16: 'I16', int8: 'I8', uint8: 'U8', bool: 'BOOL' };

/**
 * Writes a checkpoint as safetensors with every float widened to float32, exactly; integers stay as they are. The graph
 * then maps its weights from the file, where half precision would have to be copied into memory.
 *
 * @param target must not exist yet.
 */
export async function writeAsFloat32(checkpoint: Checkpoint, target: string): Promise<WrittenFile> {
  // Largest elements first, so that each offset suits its type.
  const tensors = [...checkpoint.tensors.values()].sort((a, b) => writtenBytes(b) - writtenBytes(a));
  const source = WeightsFile.openSync(checkpoint.identity);
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    const file = await open(target, 'wx');
    const write = async (piece: Uint8Array) => {
      hash.update(piece);
      bytes += piece.byteLength;
      await file.writeFile(piece);
    };
    try {
      await write(headerOf(tensors));
      for (const tensor of tensors) for (const piece of piecesOf(tensor, source)) await write(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    source.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

function isInteger({ dtype }: StoredTensor): boolean {
  return WRITTEN_AS[dtype] !== undefined;
}

/** Bytes of one element in the written file. */
function writtenBytes(tensor: StoredTensor): number {
  return isInteger(tensor) ? STORED_BYTES[tensor.dtype] : STORED_BYTES.float32;
}

function headerOf(tensors: readonly StoredTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map((tensor) => {
    const begin = end;
    end += (tensor.lengthBytes / STORED_BYTES[tensor.dtype]) * writtenBytes(tensor);
    return [tensor.name, { dtype: WRITTEN_AS[tensor.dtype] ?? 'F32', shape: tensor.shape, data_offsets: [begin, end] }] as const;
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const header = Buffer.alloc(8 + length, ' ');
  header.writeBigUInt64LE(BigInt(length), 0);
  json.copy(header, 8);
  return header;
}

function* piecesOf(tensor: StoredTensor, source: WeightsFile): Generator<Uint8Array> {
  for (let done = 0; done < tensor.lengthBytes; done += PIECE_BYTES) {
    const stored = source.read(tensor.offsetBytes + done, Math.min(PIECE_BYTES, tensor.lengthBytes - done));
    const floats = isInteger(tensor) ? undefined : widen(tensor.dtype, stored);
    yield floats ? new Uint8Array(floats.buffer) : stored;
  }
}
