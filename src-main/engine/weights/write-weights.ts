import { createHash } from 'node:crypto';
import { ExpectedError } from '#contract/errors.js';
import type { Precision } from '#contract/pack-card.js';
import { filesOf, STORED_BYTES, type Checkpoint, type StoredTensor, type StoredType } from './checkpoint.js';
import { narrowToHalf, widen } from './floats.js';
import { allFinite, BLOCK, quantiseInt4, quantiseInt8 } from './quantise.js';
import { orderedBytes } from './handle.js';
import { refused, shown } from './refusal.js';
import { WeightsFile } from './weights-file.js';
import { JournaledFile } from './write-journal.js';

/** What was written. */
export interface WrittenFile {
  readonly bytes: number;
  readonly sha256: string;
}

/** How a checkpoint is written. */
export interface WriteOptions {
  /** Goes on where a killed try of the same ended, if its journal `<target>.journal` lies there; else it must not exist. */
  readonly target: string;
  readonly precision: Precision;
  /** First words of the dotted names to write; absent = everything. */
  readonly only?: readonly string[] | undefined;
}

/** Read, changed and written at once: memory stays the same whatever the file's size. */
const PIECE_BYTES = 4 * 2 ** 20;
/** The header is padded to this, so that every tensor can be mapped. */
const ALIGNMENT = 8;

const WRITTEN_AS: Readonly<Record<StoredType, string>> = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
const HALVES: readonly StoredType[] = ['float16', 'bfloat16'];
const FLOATS: readonly StoredType[] = ['float32', 'float64', ...HALVES];
/** Tables that are looked up, not multiplied with, and the few layers between tokens and the rest. */
const KEPT_AS_FLOAT =
  /(^|\.)(shared|[a-z_]*embed[a-z_]*|class_emb|relative_attention_bias|(ns_|mask_)?head|(medusa_)?output|adapter\..*)\.weight$/u;
/** Smaller layers gain nothing; sides that four divides keep what is written behind them aligned. */
const LEAST_SIDE = 64;
const SIDE_STEP = 4;

/** What becomes of one tensor: one entry of the new file, or two that are made together. */
interface Written {
  readonly entries: readonly { readonly name: string; readonly type: StoredType; readonly shape: readonly number[] }[];
  readonly pieces: () => Iterable<Uint8Array>;
}

/** The open files of a checkpoint. */
type Sources = ReadonlyMap<string, WeightsFile>;

/**
 * Writes a checkpoint as safetensors. Floats are widened to float32, exactly, which a graph maps from the file; integers stay
 * as they are. The weights of linear layers become, at `half`, two bytes each: as they are where they are stored so, else
 * rounded; at `int8` and `int4`, `<name>.int8` or `<name>.int4` with `<name>.scales` before them.
 *
 * @yields how many bytes were written since the last time.
 * @throws ExpectedError `weights.damaged` where numbers that are to be rounded are none.
 */
export async function* writeWeights(checkpoint: Checkpoint, options: WriteOptions): AsyncGenerator<number, WrittenFile> {
  const sources = new Map(filesOf(checkpoint).map((identity) => [identity.path, WeightsFile.openSync(identity)]));
  try {
    const written = inWritingOrder(checkpoint, sources, options);
    const header = headerOf(written);
    const file = await JournaledFile.open(options.target, planOf(checkpoint, header));
    try {
      const parts = [() => [header], ...written.map(({ pieces }) => pieces)];
      for (const { bytes } of file.parts) yield bytes;
      for (const pieces of parts.slice(file.parts.length)) yield* file.write(pieces());
      return await file.finish();
    } finally {
      await file.close();
    }
  } finally {
    for (const source of sources.values()) source.close();
  }
}

/** The same files and the same result: one line. */
function planOf(checkpoint: Checkpoint, header: Uint8Array): string {
  const files = filesOf(checkpoint).map(({ path, sizeBytes, modifiedMs }) => [path, sizeBytes, modifiedMs]);
  return JSON.stringify([...files, createHash('sha256').update(header).digest('hex')]);
}

/** Wide elements first, so that each offset suits its type. */
function inWritingOrder({ tensors }: Checkpoint, sources: Sources, { precision, only }: WriteOptions): Written[] {
  const wanted = [...tensors.values()].filter(({ name }) => only?.includes(name.split('.', 1)[0] ?? '') !== false);
  const written = wanted.map((tensor) => writtenAs(tensor, sources, precision));
  const widest = ({ entries }: Written) => Math.max(...entries.map(({ type }) => STORED_BYTES[type]));
  return written.sort((a, b) => widest(b) - widest(a) || b.entries.length - a.entries.length);
}

function writtenAs(tensor: StoredTensor, sources: Sources, precision: Precision): Written {
  const { name, dtype, shape } = tensor;
  if (precision !== 'float32' && isLinear(tensor, precision)) {
    return precision === 'half' ? halved(tensor, sources) : quantised(tensor, sources, precision);
  }
  const type = FLOATS.includes(dtype) ? 'float32' : dtype;
  return { entries: [{ name, type, shape }], pieces: () => piecesOf(tensor, sources) };
}

/** Whether a tensor is the weights of a linear layer that is stored at that precision. */
export function isLinear({ name, dtype, shape }: StoredTensor, precision: Precision): boolean {
  const [, inputs = 0] = shape;
  return (
    shape.length === 2 &&
    FLOATS.includes(dtype) &&
    name.endsWith('weight') &&
    !KEPT_AS_FLOAT.test(name) &&
    shape.every((side) => side >= LEAST_SIDE && side % SIDE_STEP === 0) &&
    (precision !== 'int4' || inputs % BLOCK === 0)
  );
}

function halved(tensor: StoredTensor, sources: Sources): Written {
  const { name, dtype, shape } = tensor;
  if (HALVES.includes(dtype)) return { entries: [{ name, type: dtype, shape }], pieces: () => storedPiecesOf(tensor, sources) };
  return { entries: [{ name, type: 'float16', shape }], pieces: () => narrowed(tensor, sources) };
}

function* narrowed(tensor: StoredTensor, sources: Sources): Generator<Uint8Array> {
  for (const { buffer } of piecesOf(tensor, sources)) {
    const halves = narrowToHalf(new Float32Array(buffer));
    if (!halves) throw refused(`Expected weights of at most 65504 for half precision in ${shown(tensor.name)} but received larger ones.`);
    yield new Uint8Array(halves.buffer);
  }
}

function quantised(tensor: StoredTensor, sources: Sources, precision: 'int8' | 'int4'): Written {
  const { name } = tensor;
  const [outputs, inputs] = tensor.shape as [number, number];
  const [values, scales] =
    precision === 'int8'
      ? ([{ type: 'int8', shape: [inputs, outputs] }, [outputs]] as const)
      : ([{ type: 'uint8', shape: [outputs, inputs / BLOCK, BLOCK / 2] }, [outputs, inputs / BLOCK]] as const);
  return {
    entries: [
      { name: `${name}.scales`, type: 'float32', shape: scales },
      { name: `${name}.${precision}`, ...values },
    ],
    pieces: () => {
      const weight = wholeOf(tensor, sources);
      if (!allFinite(weight)) throw damaged(tensor);
      const made = precision === 'int8' ? quantiseInt8(weight, [outputs, inputs]) : quantiseInt4(weight);
      return [new Uint8Array(made.scales.buffer), made.values];
    },
  };
}

function damaged({ name }: StoredTensor): ExpectedError {
  return new ExpectedError('weights.damaged', `Expected finite weights in ${shown(name)} but they are damaged.`);
}

function headerOf(written: readonly Written[]): Uint8Array {
  let end = 0;
  const entries = written
    .flatMap((tensor) => tensor.entries)
    .map(({ name, type, shape }) => {
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

/** As stored, row by row. */
function* storedPiecesOf(tensor: StoredTensor, sources: Sources): Generator<Uint8Array> {
  const { file, offsetBytes, lengthBytes, strides } = tensor;
  const source = sources.get(file);
  if (!source) throw new Error(`Expected ${file} to be open.`);
  if (strides) {
    yield orderedBytes(tensor, source);
    return;
  }
  for (let done = 0; done < lengthBytes; done += PIECE_BYTES) {
    yield source.read(offsetBytes + done, Math.min(PIECE_BYTES, lengthBytes - done));
  }
}

/** Floats as float32, all else as stored; each piece in memory of its own. */
function* piecesOf(tensor: StoredTensor, sources: Sources): Generator<Uint8Array> {
  for (const stored of storedPiecesOf(tensor, sources)) {
    const floats = widen(tensor.dtype, stored);
    yield floats ? new Uint8Array(floats.buffer) : stored;
  }
}

function wholeOf(tensor: StoredTensor, sources: Sources): Float32Array {
  const weight = new Float32Array(tensor.lengthBytes / STORED_BYTES[tensor.dtype]);
  let filled = 0;
  for (const { buffer } of piecesOf(tensor, sources)) {
    const piece = new Float32Array(buffer);
    weight.set(piece, filled);
    filled += piece.length;
  }
  return weight;
}
