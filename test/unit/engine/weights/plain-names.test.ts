import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { openCheckpoint } from '#engine/weights/open.js';

import * as p from './support/pickle-writer.js';
import { safetensors } from './support/safetensors-writer.js';
import { TemporaryFiles } from './support/temporary-files.js';
import { torchFile } from './support/torch-writer.js';

const files = new TemporaryFiles();

function inSafetensors(names: readonly string[]): Buffer {
  const entries = names.map((name, i) => `"${name}":{"dtype":"F32","shape":[2],"data_offsets":[${i * 8},${i * 8 + 8}]}`);
  return safetensors(`{${entries.join(',')}}`, names.length * 8);
}

const inTorch = (names: readonly string[]) => torchFile(p.pickle(p.dict(Object.fromEntries(names.map((name) => [name, p.tensor()])))));

const CASES: readonly (readonly [what: string, names: readonly string[], plain: readonly string[], stripped: string | undefined])[] = [
  ['parallel training', ['module.a.w', 'module.b.w'], ['a.w', 'b.w'], 'module.'],
  ['compiled blocks', ['blocks.0._orig_mod.w', 'head.w'], ['blocks.0.w', 'head.w'], '_orig_mod.'],
  ['sharded training', ['_fsdp_wrapped_module.a.w', 'b._fsdp_wrapped_module.w'], ['a.w', 'b.w'], '_fsdp_wrapped_module.'],
  ['a wrapper in a wrapper', ['module._orig_mod.model.a.w'], ['a.w'], 'module. _orig_mod. model.'],
  ['parallel parts', ['blocks.0.module.w', 'head.w'], ['blocks.0.w', 'head.w'], 'module.'],
  ['averaged weights beside others', ['ema.a.w', 'model.a.w'], ['a.w'], 'ema.'],
  ['what a trainer keeps beside', ['model.a.w', 'step.x', 'optimizer.state.0.m', 'ema.a.w'], ['a.w'], 'ema.'],
  ['averaged weights of a part only', ['model.a.w', 'model.b.w', 'ema.a.w'], ['a.w', 'b.w'], 'model.'],
  ['published chunks', ['block_chunks.0.module.1.w', 'head.w'], ['block_chunks.0.module.1.w', 'head.w'], undefined],
  [
    'published chunks in wrappers',
    ['module.block_chunks.0._fsdp_wrapped_module.module.1.w'],
    ['block_chunks.0.module.1.w'],
    'module. _fsdp_wrapped_module.',
  ],
  ['a part that is called like a wrapper', ['model.w', 'head.w'], ['model.w', 'head.w'], undefined],
];

describe('names of tensors', () => {
  describe.each([
    ['safetensors', inSafetensors],
    ['torch', inTorch],
  ] as const)('in %s', (_, write) => {
    it.each(CASES)('are the network’s own: %s', async (_, names, plain, stripped) => {
      const { tensors, metadata } = await openCheckpoint(files.write(write(names)));
      expect([...tensors.keys()]).toEqual(plain);
      expect([...tensors.values()].map(({ name }) => name)).toEqual(plain);
      expect(metadata['stripped']).toBe(stripped);
    });

    it('are refused where two tensors would share one', async () => {
      await expect(openCheckpoint(files.write(write(['module.a.w', 'a.w'])))).rejects.toThrow(/a\.w twice/);
    });
  });

  it('say what was left out beside them, in every container', async () => {
    const names = ['model.a.w', 'ema.b.w', 'optimizer.m'];
    for (const write of [inSafetensors, inTorch]) {
      const { metadata } = await openCheckpoint(files.write(write(names)));
      expect(metadata).toMatchObject({ stripped: 'model.', ignored: 'ema optimizer' });
    }
  });

  it('are the network’s own in several files, whose index speaks of the others', async () => {
    const shard = files.write(inSafetensors(['module.a.w', 'module.b._orig_mod.w']), 'shard.safetensors');
    const index = path.join(path.dirname(shard), 'index.json');
    const weightMap = { 'module.a.w': path.basename(shard), 'module.b._orig_mod.w': path.basename(shard) };
    await writeFile(index, JSON.stringify({ weight_map: weightMap }));
    expect([...(await openCheckpoint(index)).tensors.keys()]).toEqual(['a.w', 'b.w']);
  });
});
