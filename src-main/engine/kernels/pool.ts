import os from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Cancellation } from '#base/cancellation.js';
import { throwIfCancelled } from '#contract/errors.js';
import { MOST_PAGES, PAGE_BYTES, WebAssembly, type WasmMemory } from './web-assembly.js';

/** Below lie a kernel's own constants; behind them the counter of pieces and the flag that ends a step early. */
const [COUNTER_AT, FIRST_FREE] = [PAGE_BYTES, PAGE_BYTES + 64];
/** More hardly help, and each costs 10 MB. */
const MOST_WORKERS = 4;

/**
 * What a worker runs. As a text it needs no file beside the program, wherever that lies: every piece of a step is taken by
 * whoever comes first, so a piece must not depend on what another one of its step writes.
 */
const WORKER = `
const { parentPort, workerData: { module, memory, counterAt } } = require('node:worker_threads');
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const counter = new Int32Array(memory.buffer, counterAt, 2);
parentPort.on('message', ({ step, pointer, pieces }) => {
  for (let piece = Atomics.add(counter, 0, 1); piece < pieces && !Atomics.load(counter, 1); piece = Atomics.add(counter, 0, 1)) {
    exports[step](pointer, piece);
  }
  parentPort.postMessage(0);
});
`;

export interface PoolOptions {
  /** All memory that the kernel will be given. */
  readonly bytes: number;
  readonly workers?: number | undefined;
}

export interface Step {
  /** An export of the kernel: `(pointer, piece) => void`. */
  readonly name: string;
  readonly pointer: number;
  readonly pieces: number;
}

/** A kernel on worker threads that share one memory. Whoever makes a pool closes it. */
export class KernelPool {
  readonly #memory: WasmMemory;
  readonly #workers: readonly Worker[];
  readonly #counter: Int32Array;
  #next = FIRST_FREE;
  /** From here on memory was never taken. */
  #untouched = FIRST_FREE;

  constructor(wasm: Uint8Array, { bytes, workers = Math.min(MOST_WORKERS, os.availableParallelism()) }: PoolOptions) {
    const pages = Math.ceil((FIRST_FREE + bytes) / PAGE_BYTES);
    this.#memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
    this.#counter = new Int32Array(this.#memory.buffer, COUNTER_AT, 2);
    const workerData = { module: new WebAssembly.Module(wasm), memory: this.#memory, counterAt: COUNTER_AT };
    this.#workers = Array.from({ length: workers }, () => new Worker(WORKER, { eval: true, workerData }));
  }

  /** Gives back all that was taken and makes room for so many bytes, with the same workers. */
  reset(bytes: number): void {
    const lack = FIRST_FREE + bytes - this.memory.byteLength;
    if (lack > 0) this.#memory.grow(Math.ceil(lack / PAGE_BYTES));
    this.release(FIRST_FREE);
  }

  get memory(): SharedArrayBuffer {
    return this.#memory.buffer;
  }

  /** Zeroed memory; what was taken since `mark` can be taken again after `release(mark)`. */
  take(bytes: number): number {
    const pointer = this.#next;
    this.#next += Math.ceil(bytes / 64) * 64;
    if (this.#next > this.memory.byteLength) throw new Error('Expected a kernel to need less memory than it was given.');
    if (pointer < this.#untouched) new Uint8Array(this.memory, pointer, Math.min(this.#next, this.#untouched) - pointer).fill(0);
    this.#untouched = Math.max(this.#untouched, this.#next);
    return pointer;
  }

  mark(): number {
    return this.#next;
  }

  release(mark: number): void {
    this.#next = mark;
  }

  /** One step on all workers; throws CancelledError within a piece's time. */
  async run({ name, pointer, pieces }: Step, signal: Cancellation): Promise<void> {
    this.#counter.fill(0);
    const watch = setInterval(() => {
      if (signal.aborted) Atomics.store(this.#counter, 1, 1);
    }, WATCH_MS);
    try {
      const workers = this.#workers.slice(0, Math.max(1, pieces));
      await Promise.all(workers.map((worker) => answered(worker, { step: name, pointer, pieces })));
    } finally {
      clearInterval(watch);
    }
    throwIfCancelled(signal);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

const WATCH_MS = 20;

function answered(worker: Worker, message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      worker.off('error', reject);
      resolve();
    };
    worker.once('message', done);
    worker.once('error', reject);
    worker.postMessage(message);
  });
}
