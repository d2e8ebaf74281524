import { KernelPool } from '#engine/kernels/pool.js';
import { wasm } from 'virtual:kernels/detail';

/** The workers of detail scales: started for the first hole, kept for the next one. Whoever makes them closes them. */
export class DetailWorkers {
  readonly #count: number | undefined;
  #pool: KernelPool | undefined;

  /** @param count absent = as many as help on this machine. */
  constructor(count?: number) {
    this.#count = count;
  }

  /** All of them, with room for so many bytes; one hole at a time. */
  poolOf(bytes: number): KernelPool {
    if (this.#pool) this.#pool.reset(bytes);
    else this.#pool = new KernelPool(wasm, { bytes, workers: this.#count });
    return this.#pool;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
    this.#pool = undefined;
  }
}
