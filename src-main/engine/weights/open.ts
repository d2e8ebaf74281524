import { basename } from 'node:path';
import type { Checkpoint } from './checkpoint.js';
import { withPlainNames } from './plain-names.js';
import { refused, shown } from './refusal.js';
import { readSafetensors } from './safetensors.js';
import { isIndex, openShards, readIndex } from './sharded.js';
import { readTorch } from './torch-zip.js';
import type { WeightsFile } from './weights-file.js';
import { withWeightsFile } from './weights-file.js';

/** Enough for every signature below. */
const HEAD_BYTES = 16;

/** Things that people mistake for weights, by their first bytes, and what to do instead. */
const STRANGERS: readonly (readonly [signature: string, what: string])[] = [
  ['version https://', 'a Git LFS pointer; download the file itself'],
  ['\x80\x02', 'a legacy PyTorch file; re-save with a current PyTorch'],
  ['\x80\x03', 'a legacy PyTorch file; re-save with a current PyTorch'],
  ['\x80\x04', 'a bare pickle; save a state dict with torch.save'],
  ['\x80\x05', 'a bare pickle; save a state dict with torch.save'],
  ['PK\x05\x06', 'an empty archive'],
  ['GGUF', 'a GGUF file'],
  ['\x89HDF', 'an HDF5 file'],
  ['\x93NUMPY', 'a NumPy array'],
  ['\x1f\x8b', 'a gzip archive; unpack it first'],
  ['\xfd7zXZ', 'an xz archive; unpack it first'],
  ['7z\xbc\xaf', 'a 7z archive; unpack it first'],
  ['<!', 'a web page (was the download behind a login?)'],
  ['<html', 'a web page (was the download behind a login?)'],
];

/**
 * Opens a weights file by its content, whatever its name: safetensors, a PyTorch zip checkpoint, or the index of a checkpoint
 * in several such files.
 *
 * @throws ExpectedError `weights.refused` naming the first thing that is wrong.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const opened = await withWeightsFile(path, (file) => (isIndex(file) ? readIndex(file) : readCheckpoint(file)));
  // An index speaks of names as they stand in the files: they are cleaned behind it.
  const checkpoint = 'weightMap' in opened ? await openShards(path, opened, openFile) : opened;
  return withPlainNames(checkpoint, shown(basename(path)));
}

/** One file, which is no index: an index of indices would never end. */
function openFile(path: string): Promise<Checkpoint> {
  return withWeightsFile(path, readCheckpoint);
}

function readCheckpoint(file: WeightsFile): Checkpoint {
  const head = file.read(0, Math.min(HEAD_BYTES, file.sizeBytes)).toString('latin1');
  if (head === '') throw refused(`Expected weights in ${file.label} but the file is empty.`);
  // First: the length in front of a safetensors header may look like any other signature.
  if (looksLikeSafetensors(head)) return readSafetensors(file);
  if (head.startsWith('PK\x03\x04')) return readTorch(file);
  const stranger = STRANGERS.find(([signature]) => head.startsWith(signature));
  const received = stranger?.[1] ?? 'another kind of file';
  throw refused(`Expected safetensors or a PyTorch checkpoint in ${file.label} but received ${received}.`);
}

/** A header length below 2⁴⁰, then the brace that the format demands. */
function looksLikeSafetensors(head: string): boolean {
  return head.startsWith('\0\0\0{', 5);
}
