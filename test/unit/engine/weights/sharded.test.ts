import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Weights } from '#engine/weights/handle.js';
import { inspectFile } from '#engine/families/inspect.js';
import { openCheckpoint } from '#engine/weights/open.js';

import { safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';

const files = new TemporaryFiles();
let folder: string;

/** One tensor of two floats; `scale` tells the files apart. */
function shard(name: string, scale: number): Buffer {
  const bytes = safetensors(`{"${name}":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8);
  bytes.writeFloatLE(scale, bytes.length - 8);
  bytes.writeFloatLE(scale + 1, bytes.length - 4);
  return bytes;
}

beforeAll(async () => {
  folder = path.join(path.dirname(files.write(Buffer.from(''), 'x')), 'shards');
  await mkdir(folder);
  await writeFile(path.join(folder, 'model-00001-of-00002.safetensors'), shard('a.w', 1));
  await writeFile(path.join(folder, 'model-00002-of-00002.safetensors'), shard('b.w', 5));
});

afterAll(() => rm(folder, { recursive: true }));

async function indexOf(weightMap: unknown, name = 'model.safetensors.index.json'): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(
    file,
    typeof weightMap === 'string' ? weightMap : JSON.stringify({ metadata: { total_size: 16 }, weight_map: weightMap }),
  );
  return file;
}

const SOUND = { 'a.w': 'model-00001-of-00002.safetensors', 'b.w': 'model-00002-of-00002.safetensors' };

describe('the index of a checkpoint in several files', () => {
  it('opens as one checkpoint whose tensors are read where they lie', async () => {
    const checkpoint = await openCheckpoint(await indexOf(SOUND));
    const weights = Weights.of(checkpoint);
    expect([...weights.readFloats('a.w')]).toEqual([1, 2]);
    expect([...weights.readFloats('b.w')]).toEqual([5, 6]);
    expect(checkpoint.shards).toHaveLength(2);
  });

  it('is inspected with the size and the files of all', async () => {
    const { files: parts, parameters, sizeBytes } = await inspectFile(await indexOf(SOUND));
    expect(parts.map((file) => path.basename(file))).toEqual(Object.values(SOUND));
    expect({ parameters, sizeBytes }).toEqual({ parameters: 4, sizeBytes: 2 * shard('a.w', 1).length });
  });

  it('finds its files beside the link by which it was named', async () => {
    const elsewhere = path.join(folder, 'blobs');
    await mkdir(elsewhere);
    const blob = await indexOf(SOUND, 'blobs/0123abcd');
    const link = path.join(folder, 'linked.safetensors.index.json');
    await symlink(blob, link);
    expect((await openCheckpoint(link)).tensors.size).toBe(2);
  });

  it.each<[what: string, weightMap: unknown, reason: RegExp]>([
    ['a path', { 'a.w': '../model-00001-of-00002.safetensors' }, /Expected a plain file name for a\.w .* received "\.\.\/model/],
    ['an absolute path', { 'a.w': '/etc/passwd' }, /Expected a plain file name/],
    ['a number as a file', { 'a.w': 7 }, /Expected a plain file name for a\.w .* received 7/],
    ['a file that is not there', { 'a.w': 'model-3.safetensors' }, /no such file/],
    [
      'a tensor that is not there',
      { ...SOUND, 'c.w': 'model-00001-of-00002.safetensors' },
      /Expected tensor c\.w in model-00001.* missing/,
    ],
    ['a tensor in another file', { 'a.w': 'model-00002-of-00002.safetensors' }, /Expected tensor a\.w in model-00002.* missing/],
    ['too few tensors', { 'a.w': 'model-00001-of-00002.safetensors', 'b.w': 'model-00001-of-00002.safetensors' }, /missing/],
    ['no tensors', {}, /Expected 1 to 100000 tensors/],
    ['an index as a part', { 'a.w': 'model.safetensors.index.json' }, /Expected safetensors or a PyTorch checkpoint/],
    ['another JSON file', '{"weights": {}}', /Expected safetensors, a PyTorch checkpoint or the index of one .* another JSON file/],
    ['half a JSON file', '{"weight_map": {', /it is no JSON/],
    ['deep nesting', '{"weight_map":'.repeat(100_000), /it is no JSON/],
    ['a list', '{"weight_map": ["a"]}', /another JSON file/],
  ])('is refused with %s', async (_, weightMap, reason) => {
    const index = await indexOf(weightMap);
    await expect(openCheckpoint(index)).rejects.toMatchObject({
      code: 'weights.refused',
      message: expect.stringMatching(reason) as string,
    });
  });
});
