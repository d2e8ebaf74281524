import type { Checkpoint, StoredTensor } from './checkpoint.js';
import { STORED_BYTES } from './checkpoint.js';
import { checkedBytes } from './extent.js';
import type { TensorRef } from './pickle-values.js';
import { refused, shown, shownShape } from './refusal.js';
import { isDense, isRowMajor } from './row-order.js';
import { findStateDict } from './state-dict.js';
import { unpickle } from './unpickle.js';
import type { WeightsFile } from './weights-file.js';
import { withWeightsFile } from './weights-file.js';
import type { ZipEntry } from './zip.js';
import { readZip } from './zip.js';

/** The pickle holds names and shapes only; a thousand tensors take some hundred kilobytes. */
const MAX_PICKLE_BYTES = 64 * 2 ** 20;
const PICKLE_NAME = /^([^/]+)\/data\.pkl$/;
const SAVE_AGAIN = 're-save with a current PyTorch';

interface Archive {
  readonly file: WeightsFile;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The folder in which PyTorch packs everything, with its slash. */
  readonly folder: string;
}

/**
 * Reads the table of contents of a PyTorch checkpoint (`torch.save`, zip format): no tensor data, and no
 * code: see `unpickle`. `metadata.wrapper` names the keys that were unwrapped, as `trainer.var_wo_ddp`, `metadata.ignored`
 * what lay beside them.
 *
 * @throws ExpectedError `weights.refused` naming the first thing that is wrong.
 */
export async function openTorch(path: string): Promise<Checkpoint> {
  return withWeightsFile(path, readTorch);
}

export function readTorch(file: WeightsFile): Checkpoint {
  const archive = openArchive(file);
  const state = findStateDict(unpickle(readEntry(archive, 'data.pkl', MAX_PICKLE_BYTES), file.label), file.label);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of state.tensors) tensors.set(name, locate(archive, name, tensor));
  const { wrappers, ignored } = state;
  const metadata: Record<string, string> = {
    ...(wrappers.length > 0 && { wrapper: wrappers.join('.') }),
    ...(ignored.length > 0 && { ignored: ignored.join(' ') }),
  };
  return { format: 'torch', identity: file.identity, tensors, metadata };
}

function openArchive(file: WeightsFile): Archive {
  const entries = readZip(file);
  const folders = [...entries.keys()].flatMap((name) => PICKLE_NAME.exec(name)?.[1] ?? []);
  const [folder] = folders;
  if (folder === undefined) throw refused(`Expected a PyTorch checkpoint in ${file.label} but the archive has no data.pkl.`);
  if (folders.length > 1) throw refused(`Expected one checkpoint in ${file.label} but received ${String(folders.length)}.`);
  const archive: Archive = { file, entries, folder: `${folder}/` };
  assertPlain(archive);
  return archive;
}

function assertPlain(archive: Archive): void {
  const { entries, folder, file } = archive;
  if (entries.has(`${folder}constants.pkl`)) {
    throw refused(`Expected a state dict in ${file.label} but received a TorchScript program; save its state_dict() instead.`);
  }
  const compressed = [...entries.values()].find((entry) => entry.compressed);
  if (compressed !== undefined) {
    throw refused(`Expected stored entries in ${file.label} but ${shown(compressed.name)} is compressed; ${SAVE_AGAIN}.`);
  }
  if (!entries.has(`${folder}byteorder`)) return; // before 2.1: always little endian
  const order = readEntry(archive, 'byteorder', 16).toString('latin1');
  if (order !== 'little') throw refused(`Expected little-endian numbers in ${file.label} but received ${shown(order)}; ${SAVE_AGAIN}.`);
}

function readEntry({ file, entries, folder }: Archive, name: string, maxBytes: number): Buffer {
  const entry = entries.get(folder + name);
  if (entry === undefined) throw refused(`Expected ${name} in ${file.label} but it is missing.`);
  if (entry.lengthBytes > maxBytes) {
    throw refused(`Expected ${name} of at most ${String(maxBytes)} bytes in ${file.label} but received ${String(entry.lengthBytes)}.`);
  }
  return file.read(entry.offsetBytes, entry.lengthBytes);
}

function locate(archive: Archive, name: string, tensor: TensorRef): StoredTensor {
  const { file } = archive;
  const { storage, shape, strides, offset } = tensor;
  const entry = findStorage(archive, name, tensor);
  const lengthBytes = checkedBytes(storage.dtype, shape);
  if (lengthBytes === undefined) {
    throw refused(`Expected a shape that fits in memory for ${shown(name)} in ${file.label} but received ${shownShape(shape)}.`);
  }
  const isOrdered = lengthBytes === 0 || isRowMajor(shape, strides);
  if (!isOrdered && !isDense(shape, strides)) {
    const received = `strides ${shownShape(strides)} for ${shownShape(shape)}`;
    throw refused(`Expected ${shown(name)} in ${file.label} to be dense but received ${received}; save it after .contiguous().`);
  }
  const startBytes = offset * STORED_BYTES[storage.dtype];
  if (startBytes + lengthBytes > entry.lengthBytes) {
    throw refused(
      `Expected ${shown(name)} in ${file.label} inside its storage of ${String(entry.lengthBytes)} bytes but it reaches past it.`,
    );
  }
  const place = { file: file.identity.path, offsetBytes: entry.offsetBytes + startBytes, lengthBytes };
  return { name, dtype: storage.dtype, shape, ...place, ...(!isOrdered && { strides }) };
}

function findStorage({ entries, folder, file }: Archive, name: string, { storage }: TensorRef): ZipEntry {
  const entry = entries.get(`${folder}data/${storage.key}`);
  if (entry === undefined) throw refused(`Expected data/${storage.key} for ${shown(name)} in ${file.label} but it is missing.`);
  const bytes = storage.elements * STORED_BYTES[storage.dtype];
  if (bytes !== entry.lengthBytes) {
    throw refused(`Expected ${String(bytes)} bytes of data for ${shown(name)} in ${file.label} but received ${String(entry.lengthBytes)}.`);
  }
  return entry;
}
