import { describe, expect, test } from 'vitest';
import { CancelledError } from '#contract/errors.js';
import { JobQueue, type Priority } from '#jobs/queue.js';

interface Gate {
  open(): void;
  readonly opened: Promise<void>;
}

function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

async function drain<T>(values: AsyncGenerator<T, void>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

function setUp() {
  const queue = new JobQueue();
  const log: string[] = [];
  const submit = (
    name: string,
    {
      wait,
      priority = 'interactive',
      signal = new AbortController().signal,
    }: { wait?: Promise<void>; priority?: Priority; signal?: AbortSignal } = {},
  ) =>
    drain(
      queue.enqueue(
        async function* () {
          log.push(`${name} starts`);
          await wait;
          yield name;
          log.push(`${name} ends`);
        },
        { priority, signal },
      ),
    );
  return { queue, log, submit };
}

describe('the queue', () => {
  test('runs one job at a time, in order', async () => {
    const { log, submit } = setUp();
    const first = gate();
    const jobs = [submit('a', { wait: first.opened }), submit('b')];
    await Promise.resolve();
    expect(log).toEqual(['a starts']);
    first.open();
    await Promise.all(jobs);
    expect(log).toEqual(['a starts', 'a ends', 'b starts', 'b ends']);
  });

  test('lets interactive work go before waiting batch jobs', async () => {
    const { log, submit } = setUp();
    const first = gate();
    const jobs = [submit('a', { wait: first.opened }), submit('batch', { priority: 'batch' }), submit('b')];
    first.open();
    await Promise.all(jobs);
    expect(log.filter((line) => line.endsWith('starts'))).toEqual(['a starts', 'b starts', 'batch starts']);
  });

  test('drops a waiting job that is cancelled and goes on', async () => {
    const { log, submit } = setUp();
    const first = gate();
    const controller = new AbortController();
    const a = submit('a', { wait: first.opened });
    const b = submit('b', { signal: controller.signal });
    const c = submit('c');
    controller.abort();
    await expect(b).rejects.toThrow(CancelledError);
    first.open();
    await Promise.all([a, c]);
    expect(log).not.toContain('b starts');
  });

  test('tells a running job that it is cancelled', async () => {
    const { queue } = setUp();
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const values = queue.enqueue(
      async function* (signal) {
        seen = signal;
        yield 1;
        yield 2;
      },
      { priority: 'interactive', signal: controller.signal },
    );
    await values.next();
    controller.abort();
    expect(seen?.aborted).toBe(true);
    await values.return();
  });

  test('frees the machine when a reader leaves the loop or a job throws', async () => {
    const { queue, submit } = setUp();
    const ticket = { priority: 'interactive', signal: new AbortController().signal } as const;
    const left = queue.enqueue(async function* () {
      yield 1;
      yield 2;
    }, ticket);
    await left.next();
    await left.return();
    const broken = drain(
      // eslint-disable-next-line require-yield
      queue.enqueue(async function* () {
        throw new Error('broken');
      }, ticket),
    );
    await expect(broken).rejects.toThrow('broken');
    expect(await submit('after')).toEqual(['after']);
  });

  test('starts nothing while paused', async () => {
    const { queue, log, submit } = setUp();
    queue.pause();
    const job = submit('a');
    await new Promise(setImmediate);
    expect(log).toEqual([]);
    queue.resume();
    expect(await job).toEqual(['a']);
  });

  test('refuses more than it can sensibly hold', async () => {
    const { queue, submit } = setUp();
    queue.pause();
    const jobs = Array.from({ length: 100 }, (_, i) => submit(String(i)));
    await expect(submit('one too many')).rejects.toThrow('at most 100 waiting jobs');
    queue.resume();
    await Promise.all(jobs);
  });
});
