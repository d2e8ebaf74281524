import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Precision } from '#contract/pack-card.js';
import { STORED_BYTES, type Checkpoint, type StoredTensor, type StoredType } from './checkpoint.js';
import { widen } from './floats.js';
import { BLOCK, quantiseInt4, quantiseInt8, type Quantised } from './quantise.js';
import { WeightsFile } from './weights-file.js';

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** Read, changed and written at once: memory stays the same whatever the file's size. */
const PIECE_BYTES = 4 * 2 ** 20;
/** The header is padded to this, so that every tensor can be mapped. */
const ALIGNMENT = 8;

const WRITTEN_AS: Readonly<Record<StoredType, string>> = {
  float32: 'F32',
  float16: 'F32',
  bfloat16: 'F32',
  float64: 'F32',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const FLOATS: readonly StoredType[] = ['float32', 'float16', 'bfloat16', 'float64'];
/** Tables that are looked up, not multiplied with, and the few layers between tokens and the rest. */
const KEPT_AS_FLOAT = /(^|\.)(shared|[a-z_]*embed[a-z_]*|class_emb|relative_attention_bias|head|output|adapter\..*)\.weight$/u;
/** Smaller layers gain nothing. */
const LEAST_SIDE = 64;

/** One tensor of the file that is being written. */
interface Written {
  readonly name: string;
  readonly type: StoredType;
  readonly shape: readonly number[];
  readonly pieces: () => Iterable<Uint8Array>;
}

/**
 * Writes a checkpoint as safetensors. Floats are widened to float32, exactly, which a graph maps from the file where
 * half precision would have to be copied into memory; integers stay as they are. At `int8` and `int4` the weights of
 * linear layers become `<name>.int8` or `<name>.int4` with `<name>.scales` beside them.
 *
 * @param target must not exist yet.
 * @yields how many bytes were written since the last time.
 */
export async function* writeWeights(checkpoint: Checkpoint, target: string, precision: Precision): AsyncGenerator<number, WrittenFile> {
  const source = WeightsFile.openSync(checkpoint.identity);
  const written = [...checkpoint.tensors.values()].flatMap((tensor) => writtenAs(tensor, source, precision));
  // Largest elements first, so that each offset suits its type.
  written.sort((a, b) => STORED_BYTES[b.type] - STORED_BYTES[a.type]);
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
      await write(headerOf(written));
      for (const { pieces } of written) {
        for (const piece of pieces()) {
          await write(piece);
          yield piece.byteLength;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
  } finally {
    source.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

function writtenAs(tensor: StoredTensor, source: WeightsFile, precision: Precision): readonly Written[] {
  const { name, dtype, shape } = tensor;
  if (precision !== 'float32' && isLinear(tensor, precision)) return quantised(tensor, source, precision);
  const type = FLOATS.includes(dtype) ? 'float32' : dtype;
  return [{ name, type, shape, pieces: () => piecesOf(tensor, source) }];
}

function isLinear({ name, dtype, shape }: StoredTensor, precision: Precision): boolean {
  const [outputs = 0, inputs = 0] = shape;
  return (
    shape.length === 2 &&
    FLOATS.includes(dtype) &&
    name.endsWith('weight') &&
    !KEPT_AS_FLOAT.test(name) &&
    Math.min(outputs, inputs) >= LEAST_SIDE &&
    (precision === 'int8' || inputs % BLOCK === 0)
  );
}

/** Made once for the scales and again for the values, rather than kept in memory between them. */
function quantised(tensor: StoredTensor, source: WeightsFile, precision: 'int8' | 'int4'): readonly Written[] {
  const { name } = tensor;
  const [outputs, inputs] = tensor.shape as [number, number];
  const make = (): Quantised => {
    const weight = wholeOf(tensor, source);
    return precision === 'int8' ? quantiseInt8(weight, [outputs, inputs]) : quantiseInt4(weight);
  };
  const [values, scales] =
    precision === 'int8'
      ? ([{ type: 'int8', shape: [inputs, outputs] }, [outputs]] as const)
      : ([{ type: 'uint8', shape: [outputs, inputs / BLOCK, BLOCK / 2] }, [outputs, inputs / BLOCK]] as const);
  return [
    { name: `${name}.scales`, type: 'float32', shape: scales, pieces: () => [new Uint8Array(make().scales.buffer)] },
    { name: `${name}.${precision}`, ...values, pieces: () => [make().values] },
  ];
}

function headerOf(written: readonly Written[]): Uint8Array {
  let end = 0;
  const entries = written.map(({ name, type, shape }) => {
    const begin = end;
    end += shape.reduce((product, dim) => product * dim, STORED_BYTES[type]);
    return [name, { dtype: WRITTEN_AS[type], shape, data_offsets: [begin, end] }] as const;
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
    const floats = widen(tensor.dtype, stored);
    yield floats ? new Uint8Array(floats.buffer) : stored;
  }
}

function wholeOf(tensor: StoredTensor, source: WeightsFile): Float32Array {
  const weight = new Float32Array(tensor.lengthBytes / STORED_BYTES[tensor.dtype]);
  let filled = 0;
  for (const piece of piecesOf(tensor, source)) {
    weight.set(new Float32Array(piece.buffer, piece.byteOffset, piece.byteLength / STORED_BYTES.float32), filled);
    filled += piece.byteLength / STORED_BYTES.float32;
  }
  return weight;
}
