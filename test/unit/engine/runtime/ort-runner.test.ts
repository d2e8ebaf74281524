import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '#engine/graph/builder.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { output } from '#engine/tensor/runner.js';
import { floatData, floats } from '#engine/tensor/tensor.js';

/** Rows behind a cached past: `all = concat(past, new)`, `new = 2·x`. */
function cacheGraph() {
  const graph = new GraphBuilder('cache');
  const fresh = graph.op('Mul', [graph.input('x', ['l', 2]), graph.scalar(2)]);
  graph.output('new', fresh, ['l', 2]);
  graph.output('all', graph.op('Concat', [graph.input('past', ['P', 2]), fresh], { axis: 0 }), ['T', 2]);
  return graph.finish();
}

describe('the runner', () => {
  test('writes preallocated outputs in place and takes prefixes of one array as inputs', async () => {
    const session = await (await createRunner({ provider: 'cpu' })).open(cacheGraph());
    const rows = new Float32Array(6);
    const past = floats([0, 2], rows.subarray(0, 0));
    const first = await session.run({ x: floats([1, 2], Float32Array.of(1, 2)), past }, { new: floats([1, 2], rows.subarray(0, 2)) });
    expect([...rows]).toEqual([2, 4, 0, 0, 0, 0]);
    expect(first['all']?.dims).toEqual([1, 2]);
    const second = await session.run(
      { x: floats([2, 2], Float32Array.of(3, 4, 5, 6)), past: floats([1, 2], rows.subarray(0, 2)) },
      { new: floats([2, 2], rows.subarray(2)) },
    );
    expect([...floatData(output(second, 'all'))]).toEqual([2, 4, 6, 8, 10, 12]);
    expect([...rows]).toEqual([2, 4, 6, 8, 10, 12]);
    await session.release();
  });

  test.each([true, false])('reads external weights at their offset (prepacked: %s)', async (prepack) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-runner-'));
    const file = path.join(folder, 'weights.bin');
    const values = Float32Array.from({ length: 600 }, (_, i) => i);
    await writeFile(file, new Uint8Array(values.buffer));
    const graph = new GraphBuilder('external');
    const weight = graph.mapped({ name: 'w', dims: [500], file, offsetBytes: 400, lengthBytes: 2000 });
    graph.output('y', graph.op('Add', [graph.input('x', [500]), weight]), [500]);
    const session = await (await createRunner({ provider: 'cpu', prepack })).open(graph.finish());
    expect([...floatData(output(await session.run({ x: floats([500]) }), 'y'))]).toEqual([...values.subarray(100)]);
    await session.release();
    await rm(folder, { recursive: true });
  });

  test('opens no graph whose outputs are to stay on a device for a provider without one', async () => {
    const graph = new GraphBuilder('staying');
    graph.deviceOutput('y', graph.op('Neg', [graph.input('x', [1])]), [1]);
    const runner = await createRunner({ provider: 'cpu' });
    expect(runner.device).toBeUndefined();
    await expect(runner.open(graph.finish())).rejects.toThrow(
      'Expected a provider with a memory of its own for "staying" but received cpu',
    );
  });

  test('names the reason where a provider cannot be had', async () => {
    const absent = process.platform === 'linux' ? 'dml' : 'cuda';
    await expect(createRunner({ provider: absent })).rejects.toThrow(
      /Expected the provider "(dml|cuda)" to work here but it does not: .{10,}/u,
    );
  });
});
