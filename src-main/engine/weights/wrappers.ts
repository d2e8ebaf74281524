/** What is asked of a tensor here: trainers keep their counters as tensors of one element, which are no weights. */
interface Shaped {
  readonly shape: readonly number[];
}

type Tensors<T> = ReadonlyMap<string, T>;

/** Averaged weights draw better than the last ones, so they count first. */
const AVERAGED = /(?:^|_)(?:ema|swa|shadow|averaged?|avg)(?:_|$)/u;
/** Keys under which trainers keep the one state dict that counts, the most telling first. */
const PLAIN: readonly string[] = [
  'state_dict',
  'model_state_dict',
  'model_state',
  'model_dict',
  'model',
  'trainer',
  'var_wo_ddp',
  'gpt_wo_ddp',
  'gpt_fsdp',
  'var',
  'gpt',
  'transformer',
  'backbone',
  'generator',
  'g',
  'net',
  'network',
  'params',
  'parameters',
  'weights',
  'model_weights',
  'module',
];
/** Of another network than the one that was averaged beside it. */
const TOKENIZERS: readonly string[] = ['vae', 'vae_wo_ddp', 'vae_local', 'vqvae', 'vqgan', 'first_stage_model', 'autoencoder', 'tokenizer'];
const WRAPPERS = [...PLAIN, ...TOKENIZERS];
const MAX_WRAPPERS = 8;

/** What trainers keep beside the weights: how far they are, optimisers, losses and those who judge, settings, random numbers. */
const COMPANIONS = [
  /^(?:global_|num_|n_)?(?:step|epoch|iter|iteration|update|batch|averaged)(?:e?s)?$/u,
  /(?:^|_)(?:opt|optim|optimi[sz]er|adamw?|sgd|scheduler|scaler)s?(?:_|$)/u,
  /^(?:d|disc|discriminator|loss|losses|criterion|lpips|perceptual_loss|loss_fn)(?:_|$)/u,
  /^(?:args|opts?|cfg|config|hparams|hyper_?parameters|callbacks|loops|metrics|meta|metadata|extra_state|amp|lr)$/u,
  /(?:^|_)(?:rng|random)_states?(?:_|$)/u,
];

export interface Unwrapped<T> {
  readonly tensors: Tensors<T>;
  /** The keys that were taken off, outermost first. */
  readonly wrappers: readonly string[];
  /** The keys of what lay beside them and is no part of the network, or an older state of it. */
  readonly ignored: readonly string[];
}

/**
 * Where every name begins with a wrapper's, but for what trainers keep beside the weights: the tensors of the wrapper that
 * counts, by the names that they have inside. Averaged weights count first where no tensor of the network lacks among them.
 */
export function unwrapped<T extends Shaped>(tensors: Tensors<T>): Unwrapped<T> {
  const wrappers: string[] = [];
  const ignored: string[] = [];
  let inside = tensors;
  while (wrappers.length < MAX_WRAPPERS) {
    const chosen = unwrapOnce(inside);
    if (!chosen) break;
    ignored.push(...chosen.ignored.map((key) => [...wrappers, key].join('.')));
    wrappers.push(...chosen.wrappers);
    inside = chosen.tensors;
  }
  return { tensors: inside, wrappers, ignored };
}

function unwrapOnce<T extends Shaped>(tensors: Tensors<T>): Unwrapped<T> | undefined {
  const groups = groupsOf(tensors);
  const keys = [...groups.keys()].filter((key) => !isCompanion(key, groups.get(key)));
  if (keys.length === 0 || !keys.every((key) => isAveraged(key) || WRAPPERS.includes(key))) return undefined;
  const key = WRAPPERS.find((wrapper) => keys.includes(wrapper));
  const inside = key === undefined ? undefined : groups.get(key);
  const plain = key !== undefined && inside ? { wrappers: [key], tensors: inside } : undefined;
  const chosen = firstAveraged({ groups, keys }, plain) ?? plain;
  return chosen && { ...chosen, ignored: [...groups.keys()].filter((other) => other !== chosen.wrappers[0]) };
}

/** Tensors by the first part of their names; one that stands alone, or has no further name, in a group without names. */
function groupsOf<T>(tensors: Tensors<T>): Map<string, Map<string, T>> {
  const groups = new Map<string, Map<string, T>>();
  for (const [name, tensor] of tensors) {
    const dot = name.indexOf('.');
    const key = dot < 0 ? name : name.slice(0, dot);
    const group = groups.get(key) ?? new Map<string, T>();
    group.set(dot < 0 ? '' : name.slice(dot + 1), tensor);
    groups.set(key, group);
  }
  return groups;
}

function isAveraged(key: string): boolean {
  return AVERAGED.test(key.toLowerCase());
}

function isCompanion(key: string, group: Tensors<Shaped> | undefined): boolean {
  const named = COMPANIONS.some((pattern) => pattern.test(key.toLowerCase()));
  return named || ![...(group?.values() ?? [])].some(isWeight);
}

export function isWeight({ shape }: Shaped): boolean {
  return shape.reduce((product, side) => product * side, 1) > 1;
}

interface Choice<T> {
  readonly groups: ReadonlyMap<string, Tensors<T>>;
  readonly keys: readonly string[];
}

type Group<T> = Omit<Unwrapped<T>, 'ignored'>;

/** The first averaged weights that are the whole network, as far as the weights beside them tell. */
function firstAveraged<T extends Shaped>({ groups, keys }: Choice<T>, plain: Group<T> | undefined): Group<T> | undefined {
  const comparable = plain !== undefined && !TOKENIZERS.includes(plain.wrappers[0] ?? '');
  for (const key of keys.filter(isAveraged)) {
    const own = groups.get(key) ?? new Map<string, T>();
    if (!comparable) return { wrappers: [key], tensors: own };
    const inside = unwrapped(own);
    const tensors = wholeAs(inside.tensors, unwrapped(plain.tensors).tensors);
    if (tensors) return { wrappers: [key, ...inside.wrappers], tensors };
  }
  return undefined;
}

/** The same tensors by the names of the network, or nothing where some are missing: then they are no state of it. */
function wholeAs<T extends Shaped>(tensors: Tensors<T>, reference: Tensors<T>): Tensors<T> | undefined {
  // Some trainers leave out the dots.
  const dotless = new Map([...reference.keys()].map((name) => [withoutDots(name), name]));
  const named = new Map([...tensors].map(([name, tensor]) => [dotless.get(withoutDots(name)) ?? name, tensor]));
  const whole = [...reference].every(([name, tensor]) => !isWeight(tensor) || isAlike(named.get(name), tensor));
  return whole ? named : undefined;
}

/** Without what parallel and compiled training puts between: one of both may have been saved without it. */
function withoutDots(name: string): string {
  return name.replace(/(?:^|\.)(?:module|_orig_mod|_fsdp_wrapped_module)(?=\.)/gu, '').replaceAll('.', '');
}

function isAlike(a: Shaped | undefined, b: Shaped): boolean {
  return a?.shape.length === b.shape.length && a.shape.every((side, axis) => side === b.shape[axis]);
}
