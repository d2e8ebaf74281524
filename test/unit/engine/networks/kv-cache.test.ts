import { describe, expect, it } from 'vitest';
import { KvCache } from '#engine/networks/kv-cache.js';
import { floatData } from '#engine/tensor/tensor.js';

const SCALES = [
  [1, 1],
  [2, 2],
] as const;
const SIZES = { scales: SCALES, depth: 2, width: 1 };

function cacheWithSource(): KvCache {
  const cache = new KvCache(SIZES, { batch: 1, hasSource: true, lastScale: 'kept' });
  for (const rows of Object.values(cache.sourceOutputs())) floatData(rows).set([1, 2, 3, 6]);
  return cache;
}

describe('KvCache', () => {
  it('shows the first layer the source at each scale’s own resolution, the others all of it', () => {
    const cache = cacheWithSource();
    const first = cache.pastInputs(0, [0, 1]);
    expect(first['past_k_0']).toMatchObject({ dims: [1, 1, 1], data: Float32Array.of(3) });
    expect(first['past_v_1']).toMatchObject({ dims: [4, 1, 1], data: Float32Array.of(1, 2, 3, 6) });
    expect([...floatData(cache.pastInputs(1, [0])['past_k_0']!)]).toEqual([1, 2, 3, 6]);
  });

  it('puts new rows right behind the past, without a copy', () => {
    const cache = cacheWithSource();
    cache.pastInputs(0, [0, 1]);
    const fresh = cache.freshOutputs(1, [0, 1]);
    floatData(fresh['k_0']!).set([7]);
    floatData(fresh['k_1']!).set([8]);
    const past = cache.pastInputs(1, [0, 1]);
    expect([...floatData(past['past_k_0']!)]).toEqual([1, 2, 3, 6, 7]);
    expect([...floatData(past['past_k_1']!)]).toEqual([1, 2, 3, 6, 8]);
    expect(past['past_k_1']!.data.buffer).toBe(fresh['k_1']!.data.buffer);
  });

  it('gives a layer that a scale left out nothing of that scale', () => {
    const cache = cacheWithSource();
    cache.freshOutputs(1, [0]);
    expect(cache.pastInputs(1, [1])['past_k_1']!.dims).toEqual([4, 1, 1]);
  });

  it('keeps the source when its targets are forgotten', () => {
    const cache = cacheWithSource();
    floatData(cache.freshOutputs(1, [0, 1])['k_1']!).set([8]);
    cache.reset();
    expect([...floatData(cache.pastInputs(0, [1])['past_k_1']!)]).toEqual([1, 2, 3, 6]);
  });

  it('begins empty where there is no source', () => {
    const cache = new KvCache(SIZES, { batch: 2, hasSource: false, lastScale: 'kept' });
    expect(cache.pastInputs(0, [0, 1])['past_k_0']!.dims).toEqual([0, 2, 1]);
    expect(cache.freshOutputs(4, [0])['v_0']!.dims).toEqual([4, 2, 1]);
  });

  it('goes on with the first row of a batch alone', async () => {
    const cache = new KvCache(SIZES, { batch: 2, hasSource: true, lastScale: 'kept' });
    for (const rows of Object.values(cache.sourceOutputs())) floatData(rows).set([1, -1, 2, -2, 3, -3, 6, -6]);
    cache.pastInputs(0, [0, 1]);
    for (const rows of Object.values(cache.freshOutputs(1, [0, 1]))) floatData(rows).set([7, -7]);
    await cache.keepFirstRow();
    expect(cache.batch).toBe(1);
    const past = cache.pastInputs(1, [0, 1]);
    expect(past['past_k_0']).toMatchObject({ dims: [5, 1, 1], data: Float32Array.of(1, 2, 3, 6, 7) });
    expect(past['past_v_1']).toMatchObject({ dims: [5, 1, 1], data: Float32Array.of(1, 2, 3, 6, 7) });
  });

  it('has no room for the last scale where nobody reads it', () => {
    const sizes = (lastScale: 'kept' | 'left out') => new KvCache(SIZES, { batch: 1, hasSource: false, lastScale }).bytes;
    expect([sizes('kept'), sizes('left out')]).toEqual([5 * 4 * 4, 1 * 4 * 4]);
    const cache = new KvCache(SIZES, { batch: 1, hasSource: false, lastScale: 'left out' });
    cache.freshOutputs(1, [0]);
    expect(() => cache.freshOutputs(4, [0])).toThrow('Expected room');
  });

  it('keeps halves where its layers say so', () => {
    const cache = new KvCache(SIZES, { batch: 1, hasSource: true, types: ['float32', 'float16'], lastScale: 'left out' });
    const source = cache.sourceOutputs();
    expect([source['k_0']!.dtype, source['k_1']!.dtype]).toEqual(['float32', 'float16']);
    expect(cache.nothingBefore()['past_v_1']).toMatchObject({ dtype: 'float16', dims: [0, 1, 1] });
    expect(cache.pastInputs(0, [1])['past_k_1']).toMatchObject({ dtype: 'float16', dims: [4, 1, 1] });
  });
});
