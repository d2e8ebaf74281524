import { describe, expect, it } from 'vitest';

import { PickleDict, PickleSet, PickleTuple } from '#engine/weights/pickle-values.js';
import type { PickleValue, PickleList } from '#engine/weights/pickle-values.js';
import { unpickle } from '#engine/weights/unpickle.js';

import * as p from './support/pickle-writer.js';
import { stopwatch } from '../../../support/processor-time.js';

const ORDERED = Buffer.concat([p.global('collections', 'OrderedDict'), p.EMPTY_TUPLE, p.REDUCE]);
const call = (module: string, name: string, ...args: readonly Buffer[]): Buffer =>
  Buffer.concat([p.global(module, name), p.tuple(...args), p.REDUCE]);
const storage = (...fields: readonly Buffer[]): Buffer => Buffer.concat([p.tuple(...fields), p.BINPERSID]);
const FLOATS = p.global('torch', 'FloatStorage');

const HOSTILE: readonly (readonly [what: string, bytes: Buffer, reason: RegExp])[] = [
  ['os.system', p.pickle(call('os', 'system', p.text('true'))), /only tensors .* os\.system/],
  ['eval', p.pickle(call('builtins', 'eval', p.text('1'))), /builtins\.eval/],
  ['torch.load inside', p.pickle(call('torch', 'load', p.text('x'))), /torch\.load/],
  ['a name that hides in another', p.pickle(p.global('torch._utils', '_rebuild_tensor_v2.x')), /_rebuild_tensor_v2\.x/],
  ['a name with a line break of its own', p.pickle(p.global('os', 'sys\u2028tem')), /os\.sysâ\\u\{80\}¨tem/],
  ['a global name without end', p.pickle(Buffer.from(`c${'a'.repeat(1_000)}`)), /short global name/],
  ['a called type', p.pickle(Buffer.concat([FLOATS, p.EMPTY_TUPLE, p.REDUCE])), /calls something else/],
  ['a called string', p.pickle(Buffer.concat([p.text('eval'), p.EMPTY_TUPLE, p.REDUCE])), /calls something else/],
  ['arguments that are no tuple', p.pickle(Buffer.concat([p.global('torch', 'Size'), p.EMPTY_LIST, p.REDUCE])), /tuple of arguments/],
  ['NEWOBJ of something else', p.pickle(Buffer.concat([p.NONE, p.EMPTY_TUPLE, p.NEWOBJ])), /calls something else/],
  ['INST', p.pickle(Buffer.from('(ios\nsystem\n')), /opcode 0x69/],
  ['OBJ', p.pickle(Buffer.from('(o')), /opcode 0x6f/],
  ['STACK_GLOBAL', p.pickle(p.text('os'), p.text('system'), Buffer.from([0x93])), /opcode 0x93/],
  ['EXT1', p.pickle(Buffer.from([0x82, 1])), /opcode 0x82/],
  ['FRAME', p.pickle(Buffer.from([0x95, 0, 0, 0, 0, 0, 0, 0, 0])), /opcode 0x95/],
  ['BYTEARRAY8', p.pickle(Buffer.from([0x96])), /opcode 0x96/],
  ['PERSID', p.pickle(Buffer.from('Pos\n')), /opcode 0x50/],
  ['STRING', p.pickle(Buffer.from("S'x'\n")), /opcode 0x53/],
  ['LONG4', p.pickle(Buffer.from([0x8b, 0xff, 0xff, 0xff, 0x7f])), /opcode 0x8b/],
  ['protocol 4', Buffer.from([0x80, 4, 0x4e, 0x2e]), /protocol 2 or 3 .* received 4/],
  ['nothing', Buffer.alloc(0), /ends too early/],
  ['no STOP', p.PROTO, /ends too early/],
  ['only STOP', p.pickle(), /takes more than it gave/],
  ['two values', p.pickle(p.NONE, p.NONE), /one value .* leaves more/],
  ['an open mark', p.pickle(p.MARK, p.NONE), /one value .* leaves more/],
  ['a tuple without mark', p.pickle(p.TUPLE), /takes more than it gave/],
  ['taking below a mark', p.pickle(p.NONE, p.MARK, p.TUPLE1), /takes more than it gave/],
  ['a memo that was never set', p.pickle(p.get(3)), /memo 3 is empty/],
  ['remembering nothing', p.pickle(p.put(0)), /takes more than it gave/],
  ['a string of 2 GB', p.pickle(Buffer.from([0x58, 0xff, 0xff, 0xff, 0x7f])), /at most 1 MiB .* 2147483647/],
  ['a string that is cut', p.pickle(Buffer.from([0x58, 9, 0, 0, 0])), /ends too early/],
  ['APPEND on a dict', p.pickle(p.EMPTY_DICT, p.NONE, p.APPEND), /APPEND on a list/],
  ['SETITEM on a list', p.pickle(p.EMPTY_LIST, p.NONE, p.NONE, p.SETITEM), /SETITEM on a dict/],
  ['SETITEMS on a tensor', p.pickle(p.tensor(), p.MARK, p.text('a'), p.NONE, p.SETITEMS), /SETITEM on a dict/],
  ['a lone key', p.pickle(p.EMPTY_DICT, p.MARK, p.text('a'), p.SETITEMS), /lone key/],
  ['a list as key', p.pickle(p.EMPTY_DICT, p.EMPTY_LIST, p.NONE, p.SETITEM), /as key .* structure/],
  ['BUILD on a plain dict', p.pickle(p.EMPTY_DICT, p.EMPTY_DICT, p.BUILD), /BUILD on a tensor or OrderedDict/],
  ['BUILD on a list', p.pickle(p.EMPTY_LIST, p.EMPTY_DICT, p.BUILD), /BUILD on a tensor or OrderedDict/],
  ['an OrderedDict of items', p.pickle(call('collections', 'OrderedDict', p.EMPTY_LIST)), /empty OrderedDict/],
  ['a Size of a string', p.pickle(call('torch', 'Size', p.text('x'))), /torch\.Size of one tuple/],
  ['a parameter of nothing', p.pickle(call('torch._utils', '_rebuild_parameter', p.NONE)), /parameter to hold a tensor/],
  ['a tensor of nothing', p.pickle(call('torch._utils', '_rebuild_tensor_v2')), /tensor over a storage/],
  [
    'a tensor of fractions',
    p.pickle(
      call(
        'torch._utils',
        '_rebuild_tensor',
        storage(p.text('storage'), FLOATS, p.text('0'), p.text('cpu'), p.int(4)),
        Buffer.from('G?à\0\0\0\0\0\0', 'latin1'),
      ),
    ),
    /tensor offset .* 0\.5/,
  ],
  ['a persistent id that is text', p.pickle(p.text('storage'), p.BINPERSID), /another persistent id/],
  [
    'a persistent id of another kind',
    p.pickle(storage(p.text('module'), FLOATS, p.text('0'), p.text('cpu'), p.int(4))),
    /another persistent id/,
  ],
  [
    'a storage of no class',
    p.pickle(storage(p.text('storage'), p.global('torch', 'float32'), p.text('0'), p.text('cpu'), p.int(4))),
    /storage class/,
  ],
  [
    'a storage with a view of its own',
    p.pickle(storage(p.text('storage'), FLOATS, p.text('0'), p.text('cpu'), p.int(4), p.NONE)),
    /five fields/,
  ],
  ['a storage of -1 elements', p.pickle(storage(p.text('storage'), FLOATS, p.text('0'), p.text('cpu'), p.int(-1))), /storage size .* -1/],
  ['1,001 open marks', p.pickle(Buffer.alloc(1_001, '(')), /at most 1000 nested/],
  ['1,001 tuples in one another', p.pickle(p.NONE, Buffer.alloc(1_001, 0x85)), /at most 1000 nested/],
  ['1,001 lists in one another', p.pickle(Buffer.alloc(1_001, ']'), Buffer.alloc(1_000, 'a')), /at most 1000 nested/],
  ['more than 10⁶ opcodes', p.pickle(Buffer.alloc(1_000_001, ')')), /at most 1000000 pickle opcodes/],
];

describe('a hostile pickle', () => {
  it.each(['neg', 'conj'])('tensors that are marked "%s" are refused with the way out, others with marks are read', (mark) => {
    const marked = (value: Buffer) => p.pickle(p.dict({ w: p.tensor({ metadata: p.dict({ [mark]: value }) }) }));
    expect(() => unpickle(marked(p.NEWTRUE), 'model.pth')).toThrow(`save it after .resolve_${mark}()`);
    expect(unpickle(marked(p.NEWFALSE), 'model.pth')).toBeInstanceOf(PickleDict);
  });

  it.each(HOSTILE)('is refused after little work and by name: %s', (_, bytes, reason) => {
    const spentMs = stopwatch();
    expect(() => unpickle(bytes, 'model.pth')).toThrow(
      expect.objectContaining({ code: 'weights.refused', message: expect.stringMatching(reason) as unknown }) as Error,
    );
    expect(spentMs()).toBeLessThan(1000);
  });

  it('knows exactly the opcodes of the closed list', () => {
    const known = Array.from({ length: 256 }, (_, opcode) => opcode).filter((opcode) => !isUnknown(opcode));
    const listed = Buffer.from('().NGJKMQRUX]abcehjqrstu}\x80\x81\x85\x86\x87\x88\x89\x8a\x8f', 'latin1');
    expect(known).toEqual([...listed].sort((a, b) => a - b));
  });
});

describe('unpickle', () => {
  it('reads every kind of plain value', () => {
    const values = unpickle(
      p.pickle(
        p.tuple(
          p.NONE,
          Buffer.from([0x88]),
          p.NEWFALSE,
          Buffer.from([0x4b, 200]),
          Buffer.from([0x4d, 0, 1]),
          p.int(-5),
          p.int(2 ** 40),
          p.int(-(2 ** 40)),
        ),
      ),
      'f',
    );
    expect(itemsOf(values)).toEqual([null, true, false, 200, 256, -5, 2 ** 40, -(2 ** 40)]);
    expect(unpickle(p.pickle(Buffer.from([0x8a, 0])), 'f')).toBe(0);
    expect(unpickle(p.pickle(Buffer.from([0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1])), 'f')).toBe(2n ** 64n);
    expect(unpickle(p.pickle(Buffer.from('G?ð\0\0\0\0\0\0', 'latin1')), 'f')).toBe(1);
    expect(unpickle(p.pickle(Buffer.from('U\u0002hi')), 'f')).toBe('hi');
    expect(unpickle(p.pickle(p.EMPTY_SET), 'f')).toBeInstanceOf(PickleSet);
  });

  it('fills lists and dicts, and remembers', () => {
    const root = unpickle(
      p.pickle(
        p.EMPTY_DICT,
        p.text('list'),
        p.EMPTY_LIST,
        p.put(70_000),
        p.text('x'),
        p.APPEND,
        p.SETITEM,
        p.text('again'),
        p.get(70_000),
        p.SETITEM,
      ),
      'f',
    );
    const { entries } = root as PickleDict;
    expect((entries.get('list') as PickleList).items).toEqual(['x']);
    expect(entries.get('again')).toBe(entries.get('list'));
  });

  it('keeps __proto__ an ordinary key', () => {
    const root = unpickle(p.pickle(p.dict({ ['__proto__']: p.NONE, polluted: p.NONE })), 'f') as PickleDict;
    expect(root.entries.has('polluted')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('drops the state of an OrderedDict and of a parameter', () => {
    expect((unpickle(p.pickle(ORDERED, p.dict({ _metadata: p.NONE }), p.BUILD), 'f') as PickleDict).entries.size).toBe(0);
    const parameter = call('torch._utils', '_rebuild_parameter', p.tensor(), p.NEWFALSE, ORDERED);
    expect(unpickle(p.pickle(parameter, p.EMPTY_DICT, p.BUILD), 'f')).toMatchObject({
      type: 'tensor',
      shape: [4],
      strides: [1],
      offset: 0,
    });
  });

  it('reads sizes, types and the older tensor form', () => {
    expect(itemsOf(unpickle(p.pickle(call('torch', 'Size', p.tuple(p.int(2), p.int(3)))), 'f'))).toEqual([2, 3]);
    expect(unpickle(p.pickle(p.global('torch', 'bfloat16')), 'f')).toEqual({ type: 'dtype' });
    const id = storage(p.text('storage'), p.global('torch', 'HalfStorage'), p.text('3'), p.text('cuda:0'), p.int(6));
    const older = call('torch._utils', '_rebuild_tensor', id, p.int(0), p.tuple(p.int(6)), p.tuple(p.int(1)));
    expect(unpickle(p.pickle(older), 'f')).toMatchObject({ type: 'tensor', storage: { key: '3', dtype: 'float16', elements: 6 } });
  });
});

function isUnknown(opcode: number): boolean {
  try {
    unpickle(Buffer.from([opcode]), 'f');
    return false;
  } catch (error) {
    return String(error).includes('pickle opcode');
  }
}

function itemsOf(value: PickleValue): readonly PickleValue[] {
  if (!(value instanceof PickleTuple)) throw new Error('Expected a tuple.');
  return value.items;
}
