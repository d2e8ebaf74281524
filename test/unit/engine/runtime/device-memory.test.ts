import type * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { DeviceMemory } from '#engine/runtime/device-memory.js';

function runtimeTensor(location: ort.Tensor.DataLocation): { tensor: ort.Tensor; disposed: string[] } {
  const disposed: string[] = [];
  const tensor = {
    location,
    type: 'float32',
    dims: [2, 1, 4],
    get data(): never {
      throw new Error('Expected nobody to look at it.');
    },
    dispose: () => disposed.push(location),
  };
  return { tensor: tensor as unknown as ort.Tensor, disposed };
}

describe('DeviceMemory', () => {
  it('hands a tensor back to the sessions of its own runner only, and nobody its numbers', () => {
    const [memory, other] = [new DeviceMemory(), new DeviceMemory()];
    const { tensor } = runtimeTensor('gpu-buffer');
    const held = memory.hold(tensor, 'k_0');
    expect(Object.keys(held)).not.toContain('data');
    expect(held).toMatchObject({ location: 'device', dtype: 'float32', dims: [2, 1, 4] });
    expect(memory.take(held, 'past_k_0')).toBe(tensor);
    expect(() => other.take(held, 'past_k_0')).toThrow('Expected "past_k_0" to lie in this runner\'s own memory');
  });

  it('knows nothing of what was disposed of', () => {
    const memory = new DeviceMemory();
    const { tensor, disposed } = runtimeTensor('gpu-buffer');
    const held = memory.hold(tensor, 'k_0');
    held.dispose();
    expect(disposed).toEqual(['gpu-buffer']);
    expect(() => memory.take(held, 'past_k_0')).toThrow('or was disposed of');
    held.dispose();
    expect(disposed).toEqual(['gpu-buffer']);
  });

  it('says so where the runtime brought an output back', () => {
    expect(() => new DeviceMemory().hold(runtimeTensor('cpu').tensor, 'k_0')).toThrow(
      'Expected "k_0" to stay on the device but it lies in cpu',
    );
  });
});
