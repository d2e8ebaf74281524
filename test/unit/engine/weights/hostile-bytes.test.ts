import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { ExpectedError } from '#contract/errors.js';
import type { Checkpoint } from '#engine/weights/checkpoint.js';
import { summarise } from '#engine/families/inspect.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { openSafetensors } from '#engine/weights/safetensors.js';
import { findStateDict } from '#engine/weights/state-dict.js';
import { openTorch } from '#engine/weights/torch-zip.js';
import { unpickle } from '#engine/weights/unpickle.js';

import { FUZZ_FACTOR } from '../../../support/fuzz.js';
import * as p from './support/pickle-writer.js';
import { counting, safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';
import { torchFile } from './support/torch-writer.js';

const TIMEOUT_MS = 60_000 * FUZZ_FACTOR;
/** Of the processor for one input: a busy machine takes longer by the clock. */
const MOST_CPU_MS = 1_000;

function expectQuick(start: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(MOST_CPU_MS);
}

const files = new TemporaryFiles();

/** What the process of a test runner takes by itself, and what hostile bytes may add. */
const MOST_BYTES = 256 * 2 ** 20;
let inputs = 0;

afterAll(() => {
  if (FUZZ_FACTOR === 1) return;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  process.stdout.write(`${inputs} inputs, peak RSS ${Math.round(peakBytes / 2 ** 20)} MiB\n`);
  expect(peakBytes).toBeLessThan(MOST_BYTES);
});

const SAFE = safetensors(
  '{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"I8","shape":[3],"data_offsets":[16,19]}}',
  19,
);
const PICKLE = p.pickle(
  p.dict({
    'blocks.0.w': p.tensor({ shape: [2, 2], strides: [2, 1] }),
    b: p.tensor({ key: '1', storage: 'HalfStorage', elements: 8, shape: [8] }),
    epoch: p.int(2 ** 33),
  }),
);
const TORCH = torchFile(PICKLE, { storages: { '0': counting(16), '1': counting(16) } });
const INDEX = Buffer.from('{"metadata":{"total_size":19},"weight_map":{"w":"sound.safetensors","b":"sound.safetensors"}}');
const TORCH64 = torchFile(PICKLE, { storages: { '0': counting(16), '1': counting(16) }, zip: { zip64: true } });

files.write(SAFE, 'sound.safetensors');

type Edit =
  | { readonly kind: 'set' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number };

const interesting = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0x22, 0x28, 0x2d, 0x2e, 0x30, 0x39, 0x5b, 0x7b, 0x7d);
const place = fc.double({ min: 0, max: 1, noNaN: true });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('set' as const, 'insert' as const), at: place, bytes: fc.uint8Array({ minLength: 1, maxLength: 9 }) }),
  fc.record({ kind: fc.constant('set' as const), at: place, bytes: interesting.map((byte) => Uint8Array.of(byte)) }),
  fc.record({ kind: fc.constant('remove' as const), at: place, count: fc.integer({ min: 1, max: 40 }) }),
);

/** Whole instructions in any order get deeper than single bytes do. */
const instruction = fc.oneof(
  fc.constantFrom(
    p.MARK,
    p.EMPTY_DICT,
    p.EMPTY_LIST,
    p.EMPTY_TUPLE,
    p.EMPTY_SET,
    p.NONE,
    p.NEWFALSE,
    p.TUPLE,
    p.TUPLE1,
    p.REDUCE,
    p.NEWOBJ,
    p.BUILD,
  ),
  fc.constantFrom(p.APPEND, p.SETITEM, p.SETITEMS, p.BINPERSID, p.STOP, Buffer.from('e'), Buffer.from([0x86]), Buffer.from([0x87])),
  fc.constantFrom('_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_parameter').map((name) => p.global('torch._utils', name)),
  fc.constantFrom('FloatStorage', 'LongStorage', 'Size', 'float16').map((name) => p.global('torch', name)),
  fc.constantFrom(
    p.global('collections', 'OrderedDict'),
    p.tensor(),
    p.tuple(p.text('storage'), p.global('torch', 'FloatStorage'), p.text('0'), p.text('cpu'), p.int(4)),
  ),
  fc.integer({ min: 0, max: 4 }).chain((index) => fc.constantFrom(p.put(index), p.get(index))),
  fc.maxSafeInteger().map(p.int),
  fc.string({ maxLength: 4 }).map(p.text),
  fc.constantFrom('storage', '0', '__proto__', 'module.', 'state_dict').map(p.text),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
);

describe('any bytes at all', () => {
  it('are refused with a code, or opened', { timeout: TIMEOUT_MS }, async () => {
    const start = fc.constantFrom('', 'PK\u0003\u0004', '\u0010\0\0\0\0\0\0\0{', '\x80\u0002');
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 300 }), async (signature, bytes) => {
        await expectCodedOrSound(Buffer.concat([Buffer.from(signature, 'latin1'), bytes]));
      }),
      { numRuns: 500 * FUZZ_FACTOR },
    );
  });

  it.each([
    ['safetensors', SAFE],
    ['PyTorch', TORCH],
    ['PyTorch zip64', TORCH64],
    ['index', INDEX],
  ])('made from a sound %s file by a few edits are refused with a code, or opened', { timeout: TIMEOUT_MS }, async (_, sound) => {
    await expectCodedOrSound(sound);
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        await expectCodedOrSound(edits.reduce(applyEdit, sound));
      }),
      { numRuns: 1_000 * FUZZ_FACTOR },
    );
  });

  it('made from a sound pickle by a few edits are refused with a code, or read', { timeout: TIMEOUT_MS }, () => {
    const edits = fc.array(edit, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(edits, (list) => {
        expectCodedOrRead(list.reduce(applyEdit, PICKLE));
      }),
      { numRuns: 10_000 * FUZZ_FACTOR },
    );
  });

  it('made of whole pickle instructions are refused with a code, or read', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fc.array(instruction, { maxLength: 40 }), (instructions) => {
        expectCodedOrRead(p.pickle(...instructions));
      }),
      { numRuns: 10_000 * FUZZ_FACTOR },
    );
  });
});

function applyEdit(bytes: Buffer, change: Edit): Buffer {
  const at = Math.floor(change.at * bytes.length);
  const middle = change.kind === 'remove' ? Buffer.alloc(0) : change.bytes;
  const replaced = change.kind === 'remove' ? change.count : change.kind === 'set' ? middle.length : 0;
  return Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at + replaced)]);
}

async function expectCodedOrSound(bytes: Buffer): Promise<void> {
  inputs += 1;
  const path = files.write(bytes, 'fuzz');
  for (const open of [openCheckpoint, openSafetensors, openTorch]) {
    const start = process.cpuUsage();
    try {
      const checkpoint = await open(path);
      // An index leads to the sound file beside it.
      expectSound(checkpoint, checkpoint.shards ? SAFE.length : bytes.length);
    } catch (error) {
      if (!(error instanceof ExpectedError)) throw error;
      expect(error.code).toBe('weights.refused');
    }
    expectQuick(start);
  }
}

/** Whatever was opened lies inside the file and can be described. */
function expectSound(checkpoint: Checkpoint, sizeBytes: number): void {
  for (const { offsetBytes, lengthBytes, shape } of checkpoint.tensors.values()) {
    expect(offsetBytes >= 0 && lengthBytes >= 0 && offsetBytes + lengthBytes <= sizeBytes).toBe(true);
    expect(shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0)).toBe(true);
  }
  expect(summarise(checkpoint).parameters).toBeLessThanOrEqual(sizeBytes);
}

function expectCodedOrRead(bytes: Buffer): void {
  inputs += 1;
  const start = process.cpuUsage();
  try {
    findStateDict(unpickle(bytes, 'fuzz'), 'fuzz');
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    expect(error.code).toBe('weights.refused');
  }
  expectQuick(start);
}
