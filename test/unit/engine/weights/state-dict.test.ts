import { describe, expect, it } from 'vitest';

import { findStateDict } from '#engine/weights/state-dict.js';
import { unpickle } from '#engine/weights/unpickle.js';

import * as p from './support/pickle-writer.js';

const W = p.tensor();

function names(...parts: readonly Buffer[]): { names: string[]; wrappers: readonly string[] } {
  const { tensors, wrappers } = findStateDict(unpickle(p.pickle(...parts), 'model.pth'), 'model.pth');
  return { names: [...tensors.keys()], wrappers };
}

describe('findStateDict', () => {
  it.each<[what: string, root: Buffer, expected: { names: string[]; wrappers: string[] }]>([
    ['a plain state dict', p.dict({ 'a.weight': W, 'a.bias': W }), { names: ['a.weight', 'a.bias'], wrappers: [] }],
    ['one wrapping key', p.dict({ vae: p.dict({ 'encoder.w': W }) }), { names: ['encoder.w'], wrappers: ['vae'] }],
    [
      'a trainer file',
      p.dict({ epoch: p.int(3), trainer: p.dict({ var_wo_ddp: p.dict({ w: W }), var_opt: p.dict({ state: W }) }) }),
      { names: ['w'], wrappers: ['trainer', 'var_wo_ddp'] },
    ],
    [
      'a model beside its optimiser',
      p.dict({ optimizer: p.dict({ state: p.dict({ m: W }) }), model: p.dict({ w: W }) }),
      { names: ['w'], wrappers: ['model'] },
    ],
    [
      'averaged weights before the last ones',
      p.dict({ model: p.dict({ w: W }), model_ema: p.dict({ module: p.dict({ w: W }), decay: p.int(1) }) }),
      { names: ['w'], wrappers: ['model_ema', 'module'] },
    ],
    [
      'averaged weights that are not there',
      p.dict({ ema: p.dict({ decay: p.int(1) }), model: p.dict({ w: W }) }),
      { names: ['w'], wrappers: ['model'] },
    ],
    ['dicts in dicts', p.dict({ a: p.dict({ b: p.dict({ w: W }) }), c: W }), { names: ['a.b.w', 'c'], wrappers: [] }],
    ['a module that is called like a wrapper', p.dict({ model: p.dict({ w: W }), head: W }), { names: ['model.w', 'head'], wrappers: [] }],
    [
      'settings and lists between tensors',
      p.dict({ lr: p.int(1), list: p.EMPTY_LIST, w: W, none: p.NONE }),
      { names: ['w'], wrappers: [] },
    ],
    ['numbers as keys', Buffer.concat([p.EMPTY_DICT, p.int(7), W, p.SETITEM]), { names: ['7'], wrappers: [] }],
  ])('reads %s', (_, root, expected) => {
    expect(names(root)).toEqual(expected);
  });

  it.each<[what: string, parts: readonly Buffer[], reason: RegExp]>([
    ['no dict at all', [W], /state dict in model\.pth but received another object/],
    ['no tensors', [p.dict({ lr: p.int(1) })], /it holds none/],
    ['one name by two ways', [p.dict({ 'a.b': W, a: p.dict({ b: W }) })], /a\.b twice/],
    ['a dict inside itself', [p.EMPTY_DICT, p.put(0), p.text('a'), p.get(0), p.SETITEM], /at most 64 nested dicts/],
    ['a bomb of shared dicts', bomb(40), /at most 400000 values/],
    ['a name of 2,000 characters', [p.dict({ ['n'.repeat(2_000)]: W })], /at most 1000 characters/],
  ])('refuses %s', (_, parts, reason) => {
    // Without its limit the bomb would outlast any run of the tests.
    expect(() => names(...parts)).toThrow(reason);
  });
});

/** Each dict holds the one before it twice: 2^levels paths in a few hundred bytes. */
function bomb(levels: number): Buffer[] {
  const parts = [p.EMPTY_DICT, p.put(0)];
  for (let i = 0; i < levels; i++) {
    parts.push(p.EMPTY_DICT, p.put(i + 1), p.text('l'), p.get(i), p.SETITEM, p.text('r'), p.get(i), p.SETITEM);
  }
  // All of them lie on the stack: they become one list, which becomes one value beside the outermost.
  return [
    p.EMPTY_DICT,
    p.text('all'),
    p.EMPTY_LIST,
    p.MARK,
    ...parts,
    Buffer.from('e'),
    p.SETITEM,
    p.text('bomb'),
    p.get(levels),
    p.SETITEM,
  ];
}
