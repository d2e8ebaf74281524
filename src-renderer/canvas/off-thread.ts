import { movedWith, PIXEL_WORK, type PixelTask, type PixelWork } from './pixel-work.js';
import type { Delivery, Order } from './pixel-worker.js';

/** The worker, begun at the first piece of work, and who waits for it. */
let worker: Worker | undefined;
const waiting = new Map<number, (delivery: Delivery) => void>();
let orders = 0;

function theWorker(): Worker {
  if (worker) return worker;
  worker = new Worker(new URL('./pixel-worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('message', ({ data }: MessageEvent<Delivery>) => {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
  });
  return worker;
}

/** Does it beside the window's own thread, where there is another one. Undefined where it cannot be done. */
export async function offThread<T extends PixelTask>(task: T, input: PixelWork[T]['in']): Promise<PixelWork[T]['out'] | undefined> {
  if (typeof Worker === 'undefined') return PIXEL_WORK[task](input).catch(() => undefined);
  orders += 1;
  const order: Order = { id: orders, task, in: input };
  const { out } = await new Promise<Delivery>((resolve) => {
    waiting.set(order.id, resolve);
    theWorker().postMessage(order, { transfer: movedWith(input) });
  });
  return out as PixelWork[T]['out'] | undefined;
}
