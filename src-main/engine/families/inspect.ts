import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Checkpoint, StoredTensor, StoredType } from '#engine/weights/checkpoint.js';
import { filesOf, STORED_BYTES } from '#engine/weights/checkpoint.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { recognise } from './recognise.js';
import type { NetworkShape } from './network.js';

/** Beside a checkpoint on the hub: sizes and switches that no tensor tells. */
export const SETTINGS_NAME = 'config.json';

/** What a weights file holds, told from its table of contents alone. */
export interface CheckpointSummary {
  /** Real path. */
  readonly file: string;
  /** Real paths of all files that the tensors lie in. */
  readonly files: readonly string[];
  readonly format: Checkpoint['format'];
  readonly sizeBytes: number;
  /** Elements of all tensors; what tied tensors share is counted once. */
  readonly parameters: number;
  /** The recognised network, or null with `reason`. */
  readonly model: NetworkShape | null;
  readonly reason?: string;
  /** From the file's own metadata. */
  readonly licence: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** What the `config.json` beside it says, as the hub lays models out; of another model where several lie in one folder. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly tensors: readonly { readonly name: string; readonly dtype: StoredType; readonly shape: readonly number[] }[];
}

/**
 * Opens `path` by its content and says what it is.
 *
 * @throws ExpectedError `weights.refused`
 */
export async function inspectFile(path: string): Promise<CheckpointSummary> {
  const summary = summarise(await openCheckpoint(path));
  const settings = await settingsBeside(summary.file);
  return settings ? { ...summary, settings } : summary;
}

/** Published ones have some hundred bytes. */
const MAX_SETTINGS_BYTES = 64 * 1024;

/** A hint at most: what cannot be read as an object of JSON is as good as none. */
async function settingsBeside(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const path = join(dirname(file), SETTINGS_NAME);
  try {
    if ((await stat(path)).size > MAX_SETTINGS_BYTES) return undefined;
    const settings: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof settings === 'object' && settings !== null ? (settings as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

export function summarise(checkpoint: Checkpoint): CheckpointSummary {
  const tensors = [...checkpoint.tensors.values()];
  return {
    file: checkpoint.identity.path,
    format: checkpoint.format,
    files: filesOf(checkpoint).map(({ path }) => path),
    sizeBytes: filesOf(checkpoint).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    parameters: countParameters(tensors),
    ...recognise(checkpoint),
    licence: checkpoint.metadata['license'] ?? checkpoint.metadata['licence'] ?? null,
    metadata: checkpoint.metadata,
    tensors: tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
  };
}

/** In file order, each tensor counts the bytes that no earlier one has covered. */
function countParameters(tensors: readonly StoredTensor[]): number {
  const inOrder = tensors.toSorted((a, b) => inText(a.file, b.file) || a.offsetBytes - b.offsetBytes || b.lengthBytes - a.lengthBytes);
  let covered = 0;
  let parameters = 0;
  let last: string | undefined;
  for (const { dtype, file, offsetBytes, lengthBytes } of inOrder) {
    if (file !== last) covered = 0;
    last = file;
    const end = offsetBytes + lengthBytes;
    const fresh = Math.max(0, end - Math.max(offsetBytes, covered));
    parameters += Math.ceil(fresh / STORED_BYTES[dtype]);
    covered = Math.max(covered, end);
  }
  return parameters;
}

/** By code units: words of a language are not compared here, and 10⁵ of them would take long. */
function inText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
