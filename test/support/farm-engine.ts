import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cancellation } from '#base/cancellation.js';
import { ERROR_CODES } from '#contract/errors.js';
import type { EngineEvent, EngineJob } from '#engine/door/engine.js';
import { fakeEngine, threeScales, type FakeEngine } from './fake-engine.js';

const COST = { ms: 1, bytes: 1024 ** 2, layers: 1 };
const SLICE_MS = 10;

/**
 * The fake engine with a forecast, whose runs do what the instruction says: `sleep MS`, `hold FILE` (until it is there),
 * `die` (with the process), `fail` (what may be tried again), `unreadable` (what may not).
 */
export function farmEngine(onRun: (job: EngineJob) => void = () => undefined, availableBytes = 16 * 1024 ** 3): FakeEngine {
  return fakeEngine({
    forecast: () => Promise.resolve({ best: COST, balanced: COST, fast: COST, draft: COST, availableBytes }),
    checkInstruction: () => Promise.resolve({ unknownWords: [], understands: [], known: true, cut: false }),
    run: async function* (job, signal) {
      onRun(job);
      yield* obey(job, signal);
    },
  });
}

async function* obey(job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void> {
  const [word, amount] = job.request.instruction.split(' ');
  if (word === 'die') process.kill(process.pid, 'SIGKILL');
  if (word === 'fail') yield failed('inference.died', 'The inference process ended.');
  else if (word === 'unreadable') yield failed('image.unreadable', 'Expected a picture but received something else.');
  else {
    const end = Date.now() + (word === 'sleep' ? Number(amount) : 0);
    const isOver = () => (word === 'hold' ? existsSync(amount ?? '') : Date.now() >= end);
    while (!isOver() && !signal.aborted) await pause(word === 'hold' ? SLICE_MS : Math.min(SLICE_MS, end - Date.now()));
    yield* threeScales(job, signal);
  }
}

function failed(code: keyof typeof ERROR_CODES, message: string): EngineEvent {
  return { type: 'failed', error: { code, message, advice: ERROR_CODES[code].advice } };
}
