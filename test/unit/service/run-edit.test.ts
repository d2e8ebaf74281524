import { getEventListeners } from 'node:events';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { EditRequest } from '#contract/request.js';
import type { EngineJob } from '#engine/door/engine.js';
import { JobQueue } from '#jobs/queue.js';
import { runEdit } from '#service/run-edit.js';

it('listens to whoever wants it as long as it runs: many runs of one batch leave nobody behind', async () => {
  const batch = new AbortController();
  const listening: number[] = [];
  const engine = {
    async *run() {
      listening.push(getEventListeners(batch.signal, 'abort').length);
      yield await Promise.resolve({ type: 'cancelled' } as const);
    },
  };
  const pictures = { keep: () => Promise.reject(new Error('Expected no picture.')), file: () => ({ name: 'a.png' }) };
  const request = v.parse(EditRequest, { task: 'generate', instruction: 'a red car' });
  const job = { pictures: {}, request } as unknown as EngineJob;
  for (let picture = 0; picture < 12; picture++) {
    for await (const event of runEdit({ engine, queue: new JobQueue(), pictures }, job, batch.signal)) expect(event.type).toBe('cancelled');
  }
  expect(new Set(listening)).toEqual(new Set([1]));
  expect(getEventListeners(batch.signal, 'abort')).toEqual([]);
});
