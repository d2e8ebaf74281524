import { describe, expect, it } from 'vitest';

import { Weights } from '#engine/weights/handle.js';
import { openTorch } from '#engine/weights/torch-zip.js';

import type { TensorSpec } from './support/pickle-writer.js';
import { dict, pickle, tensor } from './support/pickle-writer.js';
import { counting } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';
import { torchFile } from './support/torch-writer.js';
import { zip } from './support/zip-writer.js';
import { stopwatch } from '../../../support/processor-time.js';

const files = new TemporaryFiles();
const PLAIN = pickle(dict({ w: tensor() }));

const HOSTILE_ARCHIVES: readonly (readonly [what: string, bytes: Buffer, reason: RegExp])[] = [
  ['no end record', torchFile(PLAIN).subarray(0, -1), /table of contents at the end .*cut download/],
  ['only a local header', Buffer.from('PK\u0003\u0004'), /table of contents at the end/],
  ['a part of a split archive', torchFile(PLAIN, { zip: { disk: 1 } }), /in one piece/],
  ['60,000 claimed entries', torchFile(PLAIN, { zip: { claimedCount: 60_000 } }), /ends too early/],
  ['100,001 entries in zip64', torchFile(PLAIN, { zip: { zip64: true, claimedCount: 100_001 } }), /at most 100000 entries/],
  ['fewer claimed entries than there are', torchFile(PLAIN, { zip: { claimedCount: 1 } }), /more bytes in its table of contents/],
  ['a directory outside the file', torchFile(PLAIN, { zip: { claimedDirectoryOffset: 0xfffffff0 } }), /table of contents outside the file/],
  ['a directory elsewhere', torchFile(PLAIN, { zip: { claimedDirectoryOffset: 0 } }), /wrong signature/],
  [
    'a zip64 directory at 2⁵³',
    torchFile(PLAIN, { zip: { zip64: true, claimedDirectoryOffset: 2 ** 53 } }),
    /a size of 9007199254740992 bytes/,
  ],
  ['a compressed entry', torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), method: 8 }] }), /archive\/x is compressed/],
  ['an encrypted entry', torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), flags: 1 }] }), /archive\/x is encrypted/],
  [
    'a TorchScript program, whose code is compressed',
    torchFile(PLAIN, {
      extra: [
        { name: 'archive/constants.pkl', data: PLAIN },
        { name: 'archive/code/x.py', data: counting(4), method: 8 },
      ],
    }),
    /TorchScript/,
  ],
  [
    'a stored entry of two sizes',
    torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), unpackedBytes: 5 }] }),
    /archive\/x is compressed/,
  ],
  ['an entry twice', torchFile(PLAIN, { extra: [{ name: 'archive/version', data: counting(4) }] }), /archive\/version twice/],
  [
    'an entry of 4 GB',
    torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), claimedBytes: 0xfffffff0 }] }),
    /reaches past the data/,
  ],
  [
    'an entry that begins past the data',
    torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), claimedOffset: 0xfffffff0 }] }),
    /begins past the data/,
  ],
  [
    'an entry without a header',
    torchFile(PLAIN, { extra: [{ name: 'archive/x', data: counting(4), claimedOffset: 1 }] }),
    /without a header/,
  ],
  [
    'an entry with two names',
    torchFile(PLAIN, { extra: [{ name: 'archive/x', localName: 'archive/y', data: counting(4) }] }),
    /two names .* archive\/x/,
  ],
  ['no data.pkl', zip([{ name: 'archive/version', data: counting(2) }]), /no data\.pkl/],
  ['two checkpoints', torchFile(PLAIN, { extra: [{ name: 'other/data.pkl', data: PLAIN }] }), /one checkpoint .* received 2/],
  ['a TorchScript program', torchFile(PLAIN, { extra: [{ name: 'archive/constants.pkl', data: PLAIN }] }), /TorchScript/],
  ['big-endian numbers', torchFile(PLAIN, { extra: [{ name: 'archive/byteorder', data: Buffer.from('big') }] }), /little-endian .* big/],
  [
    'an endless byte order',
    torchFile(PLAIN, { extra: [{ name: 'archive/byteorder', data: counting(17) }] }),
    /byteorder of at most 16 bytes/,
  ],
  ['a pickle of 65 MB', zip([{ name: 'archive/data.pkl', data: Buffer.alloc(65 * 2 ** 20) }]), /data\.pkl of at most 67108864 bytes/],
];

const HOSTILE_TENSORS: readonly (readonly [what: string, spec: TensorSpec, reason: RegExp])[] = [
  ['a storage that is missing', { key: '1' }, /data\/1 for w .* missing/],
  ['a storage key that is a path', { key: '../0' }, /number as storage key .* \.\.\/0/],
  ['a storage key with a sign', { key: '-1' }, /number as storage key/],
  ['more elements than bytes', { elements: 5 }, /20 bytes of data for w .* received 16/],
  ['fewer elements than bytes', { elements: 3 }, /12 bytes of data for w .* received 16/],
  ['another type than the bytes', { storage: 'DoubleStorage' }, /32 bytes of data for w/],
  ['4 GB over 16 bytes', { shape: [1024, 1024, 1024], strides: [1048576, 1024, 1] }, /inside its storage of 16 bytes/],
  ['an offset past the end', { offset: 1 }, /inside its storage of 16 bytes/],
  ['an offset of 2⁵³-1', { offset: Number.MAX_SAFE_INTEGER }, /inside its storage of 16 bytes/],
  ['a terabyte view of stride 0', { shape: [2 ** 40], strides: [0] }, /dense but received strides \[0\]/],
  ['a product that overflows', { shape: [2 ** 40, 2 ** 40], strides: [2 ** 40, 1] }, /fits in memory for w/],
  ['every other element', { shape: [2], strides: [2] }, /dense but received strides \[2\] .* \.contiguous\(\)/],
  ['rows that share elements', { shape: [2, 2], strides: [1, 1] }, /dense but received strides \[1, 1\]/],
  ['a negative offset', { offset: -1 }, /a tensor offset of whole numbers from 0 .* -1/],
  ['a negative dimension', { shape: [-4] }, /a shape of whole numbers from 0 .* -4/],
  ['a negative stride', { strides: [-1] }, /strides of whole numbers from 0 .* -1/],
  ['more strides than dimensions', { strides: [1, 1] }, /one stride per dimension/],
  ['17 dimensions', { shape: Array<number>(17).fill(1), strides: Array<number>(17).fill(1) }, /at most 16 dimensions/],
  ['a quantised storage', { storage: 'QInt8Storage' }, /only tensors .* torch\.QInt8Storage/],
];

describe('a hostile PyTorch archive', () => {
  it.each(HOSTILE_ARCHIVES)('is refused in time and by name: %s', async (_, bytes, reason) => {
    await expectRefusal(files.write(bytes), reason);
  });

  it.each(HOSTILE_TENSORS)('is refused for its tensor: %s', async (_, spec, reason) => {
    await expectRefusal(files.write(torchFile(pickle(dict({ w: tensor(spec) })))), reason);
  });
});

describe('a sound PyTorch archive', () => {
  it.each([
    ['aligned', { align: true }],
    ['unaligned', { align: false }],
    ['zip64', { zip64: true }],
  ])('gives names, types, shapes and places of real bytes: %s', async (_, options) => {
    const bytes = torchFile(
      pickle(
        dict({ a: tensor(), b: tensor({ key: '7', storage: 'BFloat16Storage', elements: 3, offset: 1, shape: [1, 2], strides: [9, 1] }) }),
      ),
      {
        storages: { '0': counting(16), '7': Buffer.from([0, 0, 0x80, 0x3f, 0, 0xc0]) },
        extra: [{ name: 'archive/byteorder', data: Buffer.from('little') }],
        zip: options,
      },
    );
    const { tensors, format, metadata } = await openTorch(files.write(bytes));
    expect({ format, metadata }).toEqual({ format: 'torch', metadata: {} });
    const [a, b] = [tensors.get('a'), tensors.get('b')];
    expect(a).toMatchObject({ name: 'a', dtype: 'float32', shape: [4], lengthBytes: 16 });
    expect(b).toMatchObject({ name: 'b', dtype: 'bfloat16', shape: [1, 2], lengthBytes: 4 });
    expect(bytes.subarray(a?.offsetBytes, (a?.offsetBytes ?? 0) + 16)).toEqual(counting(16));
    expect(bytes.subarray(b?.offsetBytes, (b?.offsetBytes ?? 0) + 4)).toEqual(Buffer.from([0x80, 0x3f, 0, 0xc0]));
  });

  it('may tie weights: overlapping views of one storage', async () => {
    const { tensors } = await openTorch(
      files.write(torchFile(pickle(dict({ a: tensor(), b: tensor(), c: tensor({ offset: 1, shape: [2] }) })))),
    );
    const [a, b, c] = [...tensors.values()];
    expect(b?.offsetBytes).toBe(a?.offsetBytes);
    expect(c?.offsetBytes).toBe((a?.offsetBytes ?? 0) + 4);
  });

  it('may hold permuted tensors, which are read row by row', async () => {
    const transposed = tensor({ key: '1', elements: 6, shape: [1, 2, 3], strides: [9, 1, 2] });
    const bytes = torchFile(pickle(dict({ w: transposed })), { storages: { '1': Buffer.from(Float32Array.of(0, 1, 2, 3, 4, 5).buffer) } });
    const weights = Weights.of(await openTorch(files.write(bytes)));
    expect([...weights.readFloats('w')]).toEqual([0, 2, 4, 1, 3, 5]);
  });

  it('may hold scalars and zero-size tensors with any strides', async () => {
    const pickled = pickle(dict({ one: tensor({ shape: [], strides: [] }), none: tensor({ shape: [0, 3], strides: [5, 2] }) }));
    const { tensors } = await openTorch(files.write(torchFile(pickled)));
    expect([...tensors.values()].map(({ lengthBytes }) => lengthBytes)).toEqual([4, 0]);
  });
});

async function expectRefusal(path: string, reason: RegExp): Promise<void> {
  const spentMs = stopwatch();
  await expect(openTorch(path)).rejects.toMatchObject({
    name: 'ExpectedError',
    code: 'weights.refused',
    message: expect.stringMatching(reason) as unknown,
  });
  expect(spentMs()).toBeLessThan(1_000);
}
