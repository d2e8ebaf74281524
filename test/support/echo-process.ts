import { getHeapSpaceStatistics } from 'node:v8';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import { serve } from '#engine/runtime/process-protocol.js';

/** A child with the true protocol and no engine. */
serve({
  echo: ([value]) => Promise.resolve(value),
  refuse: () => Promise.reject(new ExpectedError('mask.empty', 'Expected a mask.')),
  async *count([until], cancellation) {
    for (let i = 0; i < (until as number); i++) {
      if (cancellation.aborted) throw new CancelledError('Cancelled.');
      yield i;
    }
  },
  /** Computes for so many milliseconds without looking up, as a session does. */
  async *busy([ms], cancellation) {
    yield 0;
    for (const until = performance.now() + (ms as number); performance.now() < until;) Math.hypot(until);
    await new Promise(setImmediate);
    if (cancellation.aborted) throw new CancelledError('Cancelled.');
    yield 1;
  },
  /** Makes much that lives shortly; gives the bytes that V8 then keeps for such. */
  churn: () => {
    for (let round = 0, held: object[] = []; round < 1_000_000; round++, held = round % 50_000 === 0 ? [] : held) held.push({ round });
    return Promise.resolve(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size);
  },
  /** Answers again after a while, without having looked up. */
  async *late([ms]) {
    yield 0;
    await Promise.resolve();
    for (const until = performance.now() + (ms as number); performance.now() < until;) Math.hypot(until);
    yield 1;
  },
  async *deaf() {
    yield 0;
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  },
});
