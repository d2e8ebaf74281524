import type { Checkpoint, StoredTensor } from './checkpoint.js';
import { refused, shown } from './refusal.js';
import { unwrapped } from './wrappers.js';

/** Parallel, compiled and checkpointed modules call themselves so, wherever in the network they stand. */
const WRAPPED = new Set(['_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module', '_forward_module']);
/** Such a module is called so, and so are the chunks of published transformers. */
const MODULE = 'module';
const CHUNKS = 'block_chunks';

/**
 * The same checkpoint with the names that the network itself gives its tensors: without what trainers and wrappers put
 * before or between them, in every container. `metadata.stripped` says what was taken away, `metadata.ignored` what lay
 * beside the network.
 *
 * @throws ExpectedError `weights.refused` where two tensors would have one name.
 */
export function withPlainNames(checkpoint: Checkpoint, label: string): Checkpoint {
  // Those of nested dicts are off already.
  const stripped = new Set(checkpoint.metadata['wrapper']?.split('.').map((key) => `${key}.`));
  const { tensors, wrappers, ignored } = unwrapped(renamed(checkpoint.tensors, (name) => withoutWrapped(name, stripped), label));
  for (const wrapper of wrappers) stripped.add(`${wrapper}.`);
  if (stripped.size === 0) return checkpoint;
  const beside = [...(checkpoint.metadata['ignored']?.split(' ') ?? []), ...ignored];
  return {
    ...checkpoint,
    tensors: new Map([...tensors].map(([name, tensor]) => [name, tensor.name === name ? tensor : { ...tensor, name }])),
    metadata: {
      ...checkpoint.metadata,
      stripped: [...stripped].join(' '),
      ...(beside.length > 0 && { ignored: beside.join(' ') }),
    },
  };
}

function withoutWrapped(name: string, stripped: Set<string>): string {
  const parts = name.split('.');
  const own = parts.filter((part, i) => {
    const wraps = i < parts.length - 1 && (WRAPPED.has(part) || (part === MODULE && !isChunk(parts, i)));
    if (wraps) stripped.add(`${part}.`);
    return !wraps;
  });
  return own.length === parts.length ? name : own.join('.');
}

/** Whether `module` at this place is the published name of a chunk's blocks, whatever wraps the chunk. */
function isChunk(parts: readonly string[], at: number): boolean {
  const before = parts.slice(0, at).filter((part) => !WRAPPED.has(part));
  return before.at(-2) === CHUNKS && !parts.slice(at + 1).includes(MODULE);
}

function renamed(tensors: Checkpoint['tensors'], rename: (name: string) => string, label: string): Checkpoint['tensors'] {
  const result = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const own = rename(name);
    if (result.has(own)) throw refused(`Expected every tensor once in ${label} but received ${shown(own)} twice.`);
    result.set(own, own === name ? tensor : { ...tensor, name: own });
  }
  return result;
}
