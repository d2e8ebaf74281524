import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { writeAsFloat32 } from '#engine/weights/write-float32.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-widen-'))));
afterAll(() => rm(folder, { recursive: true }));

test('half precision is widened exactly, tensor by tensor, and mapped from then on', async () => {
  const half = await openCheckpoint('test/golden/var-mini/var_d3.pth');
  const target = path.join(folder, 'wide.safetensors');
  const written = await writeAsFloat32(half, target);
  const content = await readFile(target);
  expect(written).toEqual({ bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
  const wide = await openCheckpoint(target);
  expect([...wide.tensors.keys()].sort()).toEqual([...half.tensors.keys()].sort());
  for (const name of half.tensors.keys()) {
    expect(wide.tensors.get(name)).toMatchObject({ dtype: 'float32', shape: half.tensors.get(name)!.shape });
    expect(wide.tensors.get(name)!.offsetBytes % 4, name).toBe(0);
    expect(Weights.of(wide).readFloats(name)).toEqual(Weights.of(half).readFloats(name));
  }
});

test('nothing is written over', async () => {
  const half = await openCheckpoint('test/golden/var-mini/var_d3.pth');
  const target = path.join(folder, 'twice.safetensors');
  await writeAsFloat32(half, target);
  await expect(writeAsFloat32(half, target)).rejects.toThrow('EEXIST');
});
