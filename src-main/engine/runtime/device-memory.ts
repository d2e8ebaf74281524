import type * as ort from 'onnxruntime-node';
import type { DType, DeviceTensor } from '#engine/tensor/tensor.js';

/**
 * The tensors of one runner that lie in the memory of its device. ONNX Runtime takes such a tensor as any session's input
 * and reads its address: a session of another provider computes with whatever lies there, without a word. So nobody gets
 * hold of them, and they are handed only to sessions of the runner that made them.
 */
export class DeviceMemory {
  readonly #held = new WeakMap<DeviceTensor, ort.Tensor>();

  /** @throws Error where the runtime brought it to the CPU after all. */
  hold(tensor: ort.Tensor, name: string): DeviceTensor {
    if (tensor.location !== 'gpu-buffer') throw new Error(`Expected "${name}" to stay on the device but it lies in ${tensor.location}.`);
    const held: DeviceTensor = {
      location: 'device',
      dtype: tensor.type as DType,
      dims: tensor.dims,
      dispose: () => {
        if (this.#held.delete(held)) tensor.dispose();
      },
    };
    this.#held.set(held, tensor);
    return held;
  }

  /** @throws Error for what was disposed of, and for what lies on no device or another one. */
  take(held: DeviceTensor, name: string): ort.Tensor {
    const tensor = this.#held.get(held);
    if (!tensor) throw new Error(`Expected "${name}" to lie in this runner's own memory but it does not, or was disposed of.`);
    return tensor;
  }
}
