import { movedWith, PIXEL_WORK, type PixelTask } from './pixel-work.js';

/** One piece of work as it travels to the worker, and its answer; without `out`, it failed. */
export interface Order {
  readonly id: number;
  readonly task: PixelTask;
  readonly in: unknown;
}
export interface Delivery {
  readonly id: number;
  readonly out?: unknown;
}

addEventListener('message', (event: MessageEvent<Order>) => {
  const { id, task, in: input } = event.data;
  const work = PIXEL_WORK[task] as (input: unknown) => Promise<unknown>;
  work(input).then(
    (out) => {
      deliver({ id, out });
    },
    () => {
      deliver({ id });
    },
  );
});

function deliver(delivery: Delivery): void {
  postMessage(delivery, { transfer: movedWith(delivery.out) });
}
