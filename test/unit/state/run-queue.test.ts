import { beforeEach, describe, expect, test } from 'vitest';
import { RunQueue, type QueuedRun } from '#state/run-queue.svelte.js';
import type { Phase } from '#state/sheets.js';

let phase: Phase;
let queue: RunQueue;
let cancelled: number;
let done: string[];

/** Ends when it is told to. */
function runOf(words: string): QueuedRun & { end: (became?: Phase) => void } {
  let end: (became?: Phase) => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = (became = 'ready') => {
      phase = became;
      resolve();
    };
  });
  const start = (): Promise<void> => {
    done.push(words);
    phase = 'running';
    return ended;
  };
  return { verb: 'edit', words, start, end };
}

const waiting = () => queue.waiting.map(({ words }) => words);
const turn = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  phase = 'running';
  cancelled = 0;
  done = [];
  const context = {
    get phase() {
      return phase;
    },
    get isFree() {
      return phase !== 'running';
    },
    cancelRun: () => (cancelled += 1),
  };
  queue = new RunQueue(context, () => undefined);
});

describe('runs that wait', () => {
  test('have their turn one after the other, when nothing is in the way', async () => {
    const [a, b] = [runOf('a'), runOf('b')];
    void queue.add(a);
    void queue.add(b);
    expect([waiting(), done]).toEqual([['a', 'b'], []]);
    phase = 'done';
    void queue.goOn();
    expect([waiting(), queue.atWork?.words]).toEqual([['b'], 'a']);
    a.end();
    await turn();
    expect([waiting(), queue.atWork?.words, done]).toEqual([[], 'b', ['a', 'b']]);
  });

  test('change places, are cancelled and paused', async () => {
    const runs = ['a', 'b', 'c'].map(runOf);
    for (const run of runs) void queue.add(run);
    const [, b, c] = queue.waiting;
    queue.toFront(c!.key);
    expect(waiting()).toEqual(['c', 'a', 'b']);
    queue.toBack(c!.key);
    expect(waiting()).toEqual(['a', 'b', 'c']);
    queue.cancel(b!.key);
    expect(waiting()).toEqual(['a', 'c']);
    queue.pause();
    phase = 'done';
    await queue.goOn();
    expect(done).toEqual([]);
    void queue.resume();
    queue.cancel(queue.atWork!.key);
    expect(cancelled).toBe(1);
    runs[0]!.end();
    await turn();
    expect(done).toEqual(['a', 'c']);
  });

  test('wait behind one that failed, until that is tried again or let go of', async () => {
    phase = 'ready';
    const [a, b] = [runOf('a'), runOf('b')];
    void queue.add(a);
    void queue.add(b);
    a.end('failed');
    await turn();
    expect([waiting(), queue.failed?.words, done]).toEqual([['a', 'b'], 'a', ['a']]);
    phase = 'ready';
    queue.dropFailed();
    void queue.goOn();
    expect([waiting(), queue.atWork?.words]).toEqual([[], 'b']);
  });

  test('that are none any more leave nothing paused behind', () => {
    void queue.add(runOf('a'));
    queue.pause();
    queue.cancel(queue.waiting[0]!.key);
    expect(queue.paused).toBe(false);
  });
});
