import type { Checkpoint, StoredTensor, StoredType } from '#engine/weights/checkpoint.js';
import { filesOf, STORED_BYTES } from '#engine/weights/checkpoint.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { recognise } from './recognise.js';
import type { NetworkShape } from './network.js';

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
  readonly tensors: readonly { readonly name: string; readonly dtype: StoredType; readonly shape: readonly number[] }[];
}

/**
 * Opens `path` by its content and says what it is.
 *
 * @throws ExpectedError `weights.refused`
 */
export async function inspectFile(path: string): Promise<CheckpointSummary> {
  return summarise(await openCheckpoint(path));
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
