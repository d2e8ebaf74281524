import { describe, expect, it } from 'vitest';

import { openCheckpoint } from '#engine/weights/open.js';
import { openSafetensors } from '#engine/weights/safetensors.js';

import { counting, headerLength, oneTensor, safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';
import { stopwatch } from '../../../support/processor-time.js';

const files = new TemporaryFiles();

const HOSTILE: readonly (readonly [what: string, bytes: Buffer, reason: RegExp])[] = [
  ['a file of 3 bytes', Buffer.from('abc'), /only 3 bytes/],
  [
    'a header of 2⁶⁴-1 bytes',
    Buffer.concat([headerLength(2n ** 64n - 1n), Buffer.from('{}')]),
    /at most 100000000 bytes .* received 18446744073709551615/,
  ],
  ['a header of 100 MB and one byte', Buffer.concat([headerLength(100_000_001n), Buffer.from('{}')]), /at most 100000000 bytes/],
  ['a header longer than the file', Buffer.concat([headerLength(3n), Buffer.from('{}')]), /inside the file but it claims 3 bytes/],
  ['an empty header', safetensors(''), /Expected "\{" at byte 0 .* the end/],
  ['a header that is no object', safetensors('[]'), /Expected "\{" at byte 0/],
  ['a header cut in a string', safetensors('{"w'), /closed string/],
  ['a header cut after a name', safetensors('{"w"'), /Expected ":"/],
  ['a second object', safetensors('{}{}'), /nothing after byte 2/],
  ['a trailing comma', safetensors('{"__metadata__":{},}'), /Expected """/],
  ['bytes that are not UTF-8', Buffer.concat([headerLength(6n), Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a])]), /UTF-8/],
  ['a raw newline in a name', safetensors('{"a\nb":{}}'), /raw control character/],
  ['an escape that JSON lacks', safetensors('{"\\x":{}}'), /JSON escapes/],
  ['a name of 2,000 characters', safetensors(`{"${'a'.repeat(2_000)}":{}}`), /more than 1000 bytes/],
  ['a tensor twice', safetensors(`{"w":${tensor('F32', '[1]', '[0,4]')},"w":${tensor('F32', '[1]', '[4,8]')}}`, 8), /w twice/],
  [
    'a tensor twice, once escaped',
    safetensors(`{"w":${tensor('F32', '[1]', '[0,4]')},"\\u0077":${tensor('F32', '[1]', '[4,8]')}}`, 8),
    /w twice/,
  ],
  ['a field twice', safetensors('{"w":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}}', 4), /dtype twice/],
  ['metadata twice', safetensors('{"__metadata__":{},"__metadata__":{}}'), /__metadata__ twice/],
  ['__proto__ as tensor', safetensors(`{"__proto__":${tensor('F32', '[1]', '[0,4]')}}`, 4), /ordinary names .* __proto__/],
  ['__proto__ in metadata', safetensors('{"__metadata__":{"__proto__":"x"}}'), /ordinary names .* __proto__/],
  ['metadata that is not text', safetensors('{"__metadata__":{"a":{"b":1}}}'), /Expected """ at byte/],
  ['an unknown field', safetensors('{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4],"code":"x"}}', 4), /received code/],
  ['no dtype', safetensors('{"w":{"shape":[],"data_offsets":[0,4]}}', 4), /a dtype for w .* missing/],
  ['no shape', safetensors('{"w":{"dtype":"F32","data_offsets":[0,4]}}', 4), /a shape for w .* missing/],
  ['no offsets', safetensors('{"w":{"dtype":"F32","shape":[]}}', 4), /two data_offsets for w/],
  ['one offset', safetensors(oneTensor('F32', '[1]', '[0]'), 4), /two data_offsets for w/],
  ['three offsets', safetensors(oneTensor('F32', '[1]', '[0,4,8]'), 4), /at most 2 numbers for the offsets of w/],
  ['an unknown type', safetensors(oneTensor('F8_E4M3', '[4]', '[0,4]'), 4), /known type for w .* F8_E4M3/],
  ['a negative dimension', safetensors(oneTensor('F32', '[-1]', '[0,4]'), 4), /no negative number for the shape of w .* -1/],
  ['a fractional dimension', safetensors(oneTensor('F32', '[1.5]', '[0,6]'), 6), /whole number for the shape of w .* 1\.5/],
  ['an exponent', safetensors(oneTensor('F32', '[1e0]', '[0,4]'), 4), /whole number for the shape of w .* 1e0/],
  ['a dimension in quotes', safetensors(oneTensor('F32', '["1"]', '[0,4]'), 4), /a number for the shape of w/],
  ['a nested shape', safetensors(oneTensor('F32', '[[1]]', '[0,4]'), 4), /a number for the shape of w/],
  ['a dimension beyond 2⁵³', safetensors(oneTensor('F32', '[9007199254740993]', '[0,4]'), 4), /below 2\^53/],
  ['17 dimensions', safetensors(oneTensor('F32', `[${Array(17).fill(1).join(',')}]`, '[0,4]'), 4), /at most 16 numbers for the shape of w/],
  ['a product that overflows', safetensors(oneTensor('F32', '[94906267,94906267,94906267]', '[0,4]'), 4), /fits in memory for w/],
  [
    'a product that overflows before a zero',
    safetensors(oneTensor('F32', '[9007199254740991,9007199254740991,0]', '[0,0]')),
    /fits in memory for w/,
  ],
  ['4 GB over 16 bytes', safetensors(oneTensor('F32', '[1024,1024,1024]', '[0,16]'), 16), /4294967296 bytes of float32 .* received 16/],
  ['4 GB that the file lacks', safetensors(oneTensor('F32', '[1024,1024,1024]', '[0,4294967296]'), 16), /inside .* ends before it/],
  ['offsets in reverse', safetensors(oneTensor('F32', '[1]', '[4,0]'), 4), /offsets in order for w/],
  ['a negative offset', safetensors(oneTensor('F32', '[1]', '[-4,0]'), 4), /no negative number for the offsets of w/],
  ['a hole in front', safetensors(oneTensor('F32', '[1]', '[4,8]'), 8), /no hole before w .* 4 bytes/],
  ['a hole between', safetensors(`{"a":${tensor('F32', '[1]', '[0,4]')},"b":${tensor('F32', '[1]', '[8,12]')}}`, 12), /no hole before b/],
  [
    'an overlap',
    safetensors(`{"a":${tensor('F32', '[2]', '[0,8]')},"b":${tensor('F32', '[1]', '[4,8]')}}`, 8),
    /no overlap at b .* 4 bytes/,
  ],
  [
    'two tensors over the same bytes',
    safetensors(`{"a":${tensor('F32', '[1]', '[0,4]')},"b":${tensor('F32', '[1]', '[0,4]')}}`, 4),
    /no overlap/,
  ],
  [
    'a zero-size tensor inside another',
    safetensors(`{"a":${tensor('F32', '[2]', '[0,8]')},"b":${tensor('F32', '[0]', '[4,4]')}}`, 8),
    /no overlap at b/,
  ],
  ['bytes that belong to nobody', safetensors(oneTensor('F32', '[1]', '[0,4]'), 5), /1 bytes follow/],
];

describe('a hostile safetensors file', () => {
  it.each(HOSTILE)('is refused in time and by name: %s', async (_, bytes, reason) => {
    const path = files.write(bytes);
    const spentMs = stopwatch();
    await expect(openSafetensors(path)).rejects.toMatchObject({
      name: 'ExpectedError',
      code: 'weights.refused',
      message: expect.stringMatching(reason) as unknown,
    });
    expect(spentMs()).toBeLessThan(1_000);
  });

  it('is refused in one line that says what was expected and what came', async () => {
    const sentences = await Promise.all(HOSTILE.map(([, bytes]) => openSafetensors(files.write(bytes)).catch(String)));
    for (const sentence of sentences) expect(sentence).toMatch(/^ExpectedError: Expected [^\n]+\.$/);
  });

  it('is refused quickly when it is a header of 20 MB of empty tensors', async () => {
    const many = Array.from({ length: 400_000 }, (_, i) => `"t${String(i)}":${tensor('F32', '[0]', '[0,0]')}`).join(',');
    const path = files.write(safetensors(`{${many}}`));
    const spentMs = stopwatch();
    await expect(openSafetensors(path)).rejects.toMatchObject({ message: expect.stringMatching(/at most 100000 tensors/) as unknown });
    expect(spentMs()).toBeLessThan(1_000);
  });
});

describe('a sound safetensors file', () => {
  it('gives names, types, shapes and absolute places', async () => {
    const header = `{"__metadata__":{"license":"MIT"},"a.bias":${tensor('BF16', '[2]', '[8,12]')}, "a.weight" : ${tensor('F32', '[1, 2]', '[0,8]')}}   `;
    const path = files.write(safetensors(header, 12));
    const checkpoint = await openCheckpoint(path);
    const dataStart = 8 + header.length;
    expect(checkpoint.format).toBe('safetensors');
    expect(checkpoint.metadata).toEqual({ license: 'MIT' });
    expect(checkpoint.tensors.get('a.weight')).toEqual({
      name: 'a.weight',
      dtype: 'float32',
      shape: [1, 2],
      file: checkpoint.identity.path,
      offsetBytes: dataStart,
      lengthBytes: 8,
    });
    expect(checkpoint.tensors.get('a.bias')).toMatchObject({ dtype: 'bfloat16', shape: [2], offsetBytes: dataStart + 8, lengthBytes: 4 });
  });

  it.each([
    ['F32', 'float32', 4],
    ['F16', 'float16', 2],
    ['BF16', 'bfloat16', 2],
    ['F64', 'float64', 8],
    ['I64', 'int64', 8],
    ['I32', 'int32', 4],
    ['I16', 'int16', 2],
    ['I8', 'int8', 1],
    ['U8', 'uint8', 1],
    ['BOOL', 'bool', 1],
  ])('may hold %s', async (dtype, expected, bytes) => {
    const checkpoint = await openSafetensors(files.write(safetensors(oneTensor(dtype, '[3]', `[0,${String(3 * bytes)}]`), 3 * bytes)));
    expect(checkpoint.tensors.get('w')).toMatchObject({ dtype: expected, lengthBytes: 3 * bytes });
  });

  it('may hold zero-size tensors, scalars and nothing at all', async () => {
    const header = `{"none":${tensor('F32', '[0,7]', '[0,0]')},"one":${tensor('F32', '[]', '[0,4]')},"end":${tensor('F32', '[0]', '[4,4]')}}`;
    const checkpoint = await openSafetensors(files.write(safetensors(header, 4)));
    expect([...checkpoint.tensors.values()].map(({ name, lengthBytes }) => [name, lengthBytes])).toEqual([
      ['none', 0],
      ['one', 4],
      ['end', 0],
    ]);
    expect((await openSafetensors(files.write(safetensors('{}')))).tensors.size).toBe(0);
  });

  it('keeps names with escapes, dots and any script', async () => {
    const header = `{"blöck.\\u00e9\\n.0":${tensor('U8', '[2]', '[0,2]')}}`;
    const checkpoint = await openSafetensors(files.write(safetensors(header, 2)));
    expect([...checkpoint.tensors.keys()]).toEqual(['blöck.é\n.0']);
  });

  it('is recognised whatever its length looks like', async () => {
    // 0x0280 bytes: the same first bytes as a pickle of protocol 2.
    const path = files.write(Buffer.concat([headerLength(0x280n), Buffer.from('{}'.padEnd(0x280)), counting(0)]));
    expect((await openCheckpoint(path)).format).toBe('safetensors');
  });
});

function tensor(dtype: string, shape: string, offsets: string): string {
  return `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
}
