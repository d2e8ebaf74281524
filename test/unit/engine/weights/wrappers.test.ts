import { describe, expect, it } from 'vitest';
import { unwrapped } from '#engine/weights/wrappers.js';

type Shapes = Readonly<Record<string, readonly number[]>>;

/** A network of two weights and a counter of its own. */
const NETWORK: Shapes = { 'blocks.0.w': [4, 4], 'head.w': [4], 'blocks.0.step': [] };
const NAMES = Object.keys(NETWORK);

function under(prefix: string, shapes: Shapes = NETWORK): Shapes {
  return Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [`${prefix}.${name}`, shape]));
}

function read(shapes: Shapes) {
  const { tensors, wrappers, ignored } = unwrapped(new Map(Object.entries(shapes).map(([name, shape]) => [name, { shape }])));
  return { names: [...tensors.keys()], wrappers, ignored };
}

const { 'head.w': _head, ...PARTIAL } = NETWORK;
const DOTLESS = Object.fromEntries(Object.entries(NETWORK).map(([name, shape]) => [name.replaceAll('.', ''), shape]));

describe('what trainers keep beside the network is passed over', () => {
  it.each<[what: string, shapes: Shapes, wrappers: string[], ignored: string[]]>([
    [
      'counters and an optimiser beside both',
      { ...under('model'), ...under('ema'), step: [1], ...under('optimizer.state.0', { exp_avg: [4, 4] }) },
      ['ema'],
      ['model', 'step', 'optimizer'],
    ],
    ['counters of any name', { ...under('model'), seen_images: [], tokens: [1] }, ['model'], ['seen_images', 'tokens']],
    ['random numbers', { ...under('state_dict'), cpu_rng_state: [5056] }, ['state_dict'], ['cpu_rng_state']],
    ['a second network', { ...under('g'), ...under('d', { w: [9] }), ...under('g_optim', { w: [9] }) }, ['g'], ['d', 'g_optim']],
    ['the averaged one of these', { ...under('g'), ...under('g_ema'), ...under('d', { w: [9] }) }, ['g_ema'], ['g', 'd']],
    [
      'the tokenizer',
      { ...under('trainer.var_wo_ddp'), ...under('trainer.vae_local', { w: [9] }), 'trainer.var_opt.0.m': [9] },
      ['trainer', 'var_wo_ddp'],
      ['trainer.vae_local', 'trainer.var_opt'],
    ],
    ['a judge inside', { ...under('state_dict.model'), 'state_dict.loss.lpips.w': [9] }, ['state_dict', 'model'], ['state_dict.loss']],
    [
      'averages of a wrapper’s own',
      { ...under('model'), n_averaged: [], ...under('averaged_model.module') },
      ['averaged_model', 'module'],
      ['model', 'n_averaged'],
    ],
  ])('%s', (_, shapes, wrappers, ignored) => {
    expect(read(shapes)).toEqual({ names: NAMES, wrappers, ignored });
  });

  it.each([
    'weights',
    'model_state',
    'model_weights',
    'transformer',
    'g',
    'generator',
    'g_ema',
    'ema',
    'shadow_params',
    'swa_model',
    'net',
    'vae',
  ])('under “%s” alone', (key) => {
    expect(read(under(key))).toEqual({ names: NAMES, wrappers: [key], ignored: [] });
  });
});

describe('averaged weights count where they are the whole network', () => {
  it.each<[what: string, ema: Shapes, wrappers: string[]]>([
    ['as they are', under('ema'), ['ema']],
    ['in a wrapper of their own', { ...under('ema.shadow_params'), 'ema.decay': [], 'ema.num_updates': [] }, ['ema', 'shadow_params']],
    ['with names of parallel training', under('ema.module'), ['ema', 'module']],
    ['with names of compiled training', under('ema._orig_mod'), ['ema']],
    ['without dots, as some trainers write them', { ...under('model_ema', DOTLESS), 'model_ema.decay': [] }, ['model_ema']],
  ])('%s', (_, ema, wrappers) => {
    const found = read({ ...ema, ...under('model') });
    expect(found.wrappers).toEqual(wrappers);
    expect(found.names).toEqual(expect.arrayContaining(NAMES));
    expect(found.ignored).toContain('model');
  });

  it.each<[what: string, ema: Shapes]>([
    ['a part is missing', under('ema', PARTIAL)],
    ['they have no names', { 'ema.decay': [], 'ema.num_updates': [], 'ema.shadow_params.0': [4, 4], 'ema.shadow_params.1': [4] }],
    ['their shapes are others', { ...under('ema'), 'ema.head.w': [2] }],
    ['they are of something else', under('ema', { 'encoder.w': [4, 4] })],
    ['they are not there', { 'ema.decay': [], 'ema.num_updates': [] }],
  ])('else the last ones do: %s', (_, ema) => {
    expect(read({ ...ema, ...under('model'), step: [] })).toEqual({ names: NAMES, wrappers: ['model'], ignored: ['ema', 'step'] });
  });

  it('and a tokenizer beside them is no measure', () => {
    expect(read({ ...under('ema'), ...under('vae', { w: [9] }) })).toEqual({ names: NAMES, wrappers: ['ema'], ignored: ['vae'] });
  });
});

it.each<[what: string, shapes: Shapes]>([
  ['a network with a part that is called like a wrapper', { ...under('model'), 'head.w': [4] }],
  ['a network with averages inside', { ...NETWORK, ...under('model_ema', DOTLESS) }],
  ['names without dots', { w: [4], model: [4] }],
  ['nothing but counters', { step: [], epoch: [] }],
])('%s stays as it is', (_, shapes) => {
  expect(read(shapes)).toEqual({ names: Object.keys(shapes), wrappers: [], ignored: [] });
});
