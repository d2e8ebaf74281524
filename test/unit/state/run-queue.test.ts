import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '#document/request.js';
import type { QueuedRun } from '#state/run-order.js';
import { RunQueue } from '#state/run-queue.svelte.js';
import type { Phase } from '#state/sheets.js';

let phase: Phase;
let queue: RunQueue;
let cancelled: number;
let done: string[];

/** Ends what is at work. */
let end: (became?: Phase) => void;

const runOf = (instruction: string): QueuedRun => ({
  order: { verb: 'edit', settings: { ...DEFAULT_SETTINGS, instruction }, size: { width: 4, height: 3 } },
});
const wordsOf = (run: QueuedRun | undefined) => run?.order.settings.instruction;
const waiting = () => queue.waiting.map(wordsOf);
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
    runQueued: (run: QueuedRun) => {
      done.push(wordsOf(run)!);
      phase = 'running';
      return new Promise<void>((resolve) => {
        end = (became = 'ready') => {
          phase = became;
          resolve();
        };
      });
    },
    cancelRun: () => (cancelled += 1),
  };
  queue = new RunQueue(context, () => undefined);
});

describe('runs that wait', () => {
  test('have their turn one after the other, when nothing is in the way', async () => {
    for (const words of ['a', 'b']) void queue.add(runOf(words));
    expect([waiting(), done]).toEqual([['a', 'b'], []]);
    phase = 'done';
    void queue.goOn();
    expect([waiting(), wordsOf(queue.atWork)]).toEqual([['b'], 'a']);
    end();
    await turn();
    expect([waiting(), wordsOf(queue.atWork), done]).toEqual([[], 'b', ['a', 'b']]);
  });

  test('change places, are cancelled and paused', async () => {
    for (const words of ['a', 'b', 'c']) void queue.add(runOf(words));
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
    end();
    await turn();
    expect(done).toEqual(['a', 'c']);
  });

  test('wait behind one that failed, until that is tried again or let go of', async () => {
    phase = 'ready';
    for (const words of ['a', 'b']) void queue.add(runOf(words));
    end('failed');
    await turn();
    expect([waiting(), wordsOf(queue.failed), done]).toEqual([['a', 'b'], 'a', ['a']]);
    phase = 'ready';
    queue.dropFailed();
    void queue.goOn();
    expect([waiting(), wordsOf(queue.atWork)]).toEqual([[], 'b']);
  });

  test('come back paused, one after the other, as they were', async () => {
    phase = 'ready';
    await queue.putBack([runOf('a'), runOf('b')], true);
    expect([waiting(), queue.paused, done]).toEqual([['a', 'b'], true, []]);
    void queue.resume();
    expect(done).toEqual(['a']);
    queue.clear();
    end();
    await queue.putBack([], true);
    expect(queue.paused).toBe(false);
  });

  test('that are none any more leave nothing paused behind', () => {
    void queue.add(runOf('a'));
    queue.pause();
    queue.cancel(queue.waiting[0]!.key);
    expect(queue.paused).toBe(false);
  });
});
