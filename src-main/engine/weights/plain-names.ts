import type { Checkpoint, StoredTensor } from './checkpoint.js';
import { refused, shown } from './refusal.js';

/** Keys under which trainers keep averaged weights: they draw better than the last ones, so they count first. */
const AVERAGED = ['ema', 'ema_state_dict', 'state_dict_ema', 'model_ema', 'ema_model', 'params_ema', 'ema_params', 'ema_weights'];
/** Keys under which trainers keep the one state dict that counts, the most telling first. */
export const WRAPPERS: readonly string[] = [
  ...AVERAGED,
  'state_dict',
  'model_state_dict',
  'model',
  'trainer',
  'var_wo_ddp',
  'gpt_wo_ddp',
  'gpt_fsdp',
  'vae',
  'vae_wo_ddp',
  'vae_local',
  'net',
  'network',
  'params',
  'module',
];
const MAX_WRAPPERS = 8;

/** Parallel, compiled and checkpointed modules call themselves so, wherever in the network they stand. */
const WRAPPED = new Set(['_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module', '_forward_module']);
/** Such a module is called so, and so are the chunks of published transformers. */
const MODULE = 'module';
const CHUNKS = 'block_chunks';

/**
 * The same checkpoint with the names that the network itself gives its tensors: without what trainers and wrappers put
 * before or between them, in every container. `metadata.stripped` says what was taken away.
 *
 * @throws ExpectedError `weights.refused` where two tensors would have one name.
 */
export function withPlainNames(checkpoint: Checkpoint, label: string): Checkpoint {
  const stripped = new Set<string>();
  let tensors = unwrapped(
    renamed(checkpoint.tensors, (name) => withoutWrapped(name, stripped), label),
    stripped,
  );
  for (let i = 0; i < MAX_WRAPPERS; i++) {
    const next = unwrapped(tensors, stripped);
    if (next === tensors) break;
    tensors = next;
  }
  if (stripped.size === 0) return checkpoint;
  return { ...checkpoint, tensors, metadata: { ...checkpoint.metadata, stripped: [...stripped].join(' ') } };
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

/** Where every name begins with a wrapper's: the tensors of the one that counts. */
function unwrapped(tensors: Checkpoint['tensors'], stripped: Set<string>): Checkpoint['tensors'] {
  const firsts = new Set([...tensors.keys()].map((name) => name.slice(0, name.indexOf('.') + 1)));
  if (firsts.size === 0 || ![...firsts].every((first) => WRAPPERS.includes(first.slice(0, -1)))) return tensors;
  const wrapper = `${WRAPPERS.find((key) => firsts.has(`${key}.`)) ?? ''}.`;
  stripped.add(wrapper);
  const inside = [...tensors].filter(([name]) => name.startsWith(wrapper));
  return new Map(inside.map(([name, tensor]) => [name.slice(wrapper.length), { ...tensor, name: name.slice(wrapper.length) }]));
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
