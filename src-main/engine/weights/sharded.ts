import { dirname, join } from 'node:path';

import type { Checkpoint, FileIdentity } from './checkpoint.js';
import { MAX_NAME_LENGTH, MAX_TENSORS } from './limits.js';
import { refused, shown } from './refusal.js';
import type { WeightsFile } from './weights-file.js';

/** The largest published one has 300 kB. */
const MAX_INDEX_BYTES = 16 * 2 ** 20;
const MAX_SHARDS = 1_000;
const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/u;

/** Which file of a checkpoint in several holds which tensor: `model.safetensors.index.json`. */
export interface ShardIndex {
  readonly identity: FileIdentity;
  readonly label: string;
  readonly weightMap: ReadonlyMap<string, string>;
}

/** Whether the file begins as JSON does. */
export function isIndex(file: WeightsFile): boolean {
  const head = file.read(0, Math.min(16, file.sizeBytes)).toString('latin1');
  return head.trimStart().startsWith('{') && !head.startsWith('\0', 5);
}

/** @throws ExpectedError `weights.refused` */
export function readIndex(file: WeightsFile): ShardIndex {
  const { label, identity } = file;
  if (file.sizeBytes > MAX_INDEX_BYTES)
    throw refused(`Expected at most 16 MiB for the index ${label} but received ${file.sizeBytes} bytes.`);
  const weightMap = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(mapIn(file))) {
    if (tensor.length > MAX_NAME_LENGTH) throw refused(`Expected names of at most ${MAX_NAME_LENGTH} characters in ${label}.`);
    // A path would reach other files of the user.
    if (typeof shard !== 'string' || !PLAIN_NAME.test(shard)) {
      throw refused(`Expected a plain file name for ${shown(tensor)} in ${label} but received ${shown(JSON.stringify(shard))}.`);
    }
    weightMap.set(tensor, shard);
  }
  const shards = new Set(weightMap.values()).size;
  if (weightMap.size === 0 || weightMap.size > MAX_TENSORS || shards > MAX_SHARDS) {
    throw refused(
      `Expected 1 to ${MAX_TENSORS} tensors in at most ${MAX_SHARDS} files in ${label} but received ${weightMap.size} in ${shards}.`,
    );
  }
  return { identity, label, weightMap };
}

function mapIn(file: WeightsFile): object {
  let content: unknown;
  try {
    content = JSON.parse(file.read(0, file.sizeBytes).toString('utf8'));
  } catch (cause) {
    throw refused(`Expected the index of a checkpoint in ${file.label} but it is no JSON.`, cause);
  }
  const map: unknown = typeof content === 'object' && content !== null && 'weight_map' in content ? content.weight_map : undefined;
  if (typeof map === 'object' && map !== null && !Array.isArray(map)) return map;
  throw refused(`Expected safetensors, a PyTorch checkpoint or the index of one in ${file.label} but received another JSON file.`);
}

/**
 * The checkpoint that an index describes, from the files beside `path`: beside the link, where it is one.
 *
 * @throws ExpectedError `weights.refused` where a file or a tensor is missing, or lies in another file than the index says.
 */
export async function openShards(
  path: string,
  { identity, label, weightMap }: ShardIndex,
  open: (path: string) => Promise<Checkpoint>,
): Promise<Checkpoint> {
  const parts = new Map<string, Checkpoint>();
  for (const shard of new Set(weightMap.values())) parts.set(shard, await open(join(dirname(path), shard)));
  const tensors = new Map([...parts.values()].flatMap((part) => [...part.tensors]));
  for (const [name, shard] of weightMap) {
    const tensor = parts.get(shard)?.tensors.get(name);
    if (!tensor) throw refused(`Expected tensor ${shown(name)} in ${shown(shard)}, as ${label} says, but it is missing.`);
    tensors.set(name, tensor);
  }
  if (tensors.size > weightMap.size) throw refused(`Expected ${weightMap.size} tensors, as ${label} says, but received ${tensors.size}.`);
  const [first] = parts.values();
  return {
    format: first?.format ?? 'safetensors',
    identity,
    shards: [...parts.values()].map((part) => part.identity),
    tensors,
    metadata: first?.metadata ?? {},
  };
}
