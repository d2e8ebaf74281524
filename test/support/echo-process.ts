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
  async *deaf() {
    yield 0;
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  },
});
