import type { Cancellation } from '#base/cancellation.js';
import { endingOf } from '#contract/ending.js';
import { memoryLimitBytes } from '#engine/runtime/memory.js';
import { InferenceProcess } from '#engine/runtime/process.js';
import type { Engine, EngineEvent, EngineJob } from './engine.js';
import { askingEngine, type AskedEngine } from './wire.js';

export interface EngineOptions {
  /** The built script of the inference process. */
  readonly entry: string;
  /** How long a soft cancel may take before the process is killed. */
  readonly hardCancelMs?: number;
}

/**
 * Starts an engine in a process of its own: it may die, the application may not.
 *
 * @throws ExpectedError `request.invalid` for a memory limit that is no size.
 */
export function startEngine(options: EngineOptions): Engine {
  memoryLimitBytes();
  const process = new InferenceProcess(options);
  const asked = askingEngine(process);
  return {
    ...asked,
    run: (job, signal) => run(asked, job, signal),
    kill: () => {
      process.kill();
    },
    close: () => process.close(),
  };
}

/** A process that dies or is killed in mid-run ends the stream with an event too. */
async function* run(asked: AskedEngine, job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void> {
  try {
    yield* asked.run(job, signal);
  } catch (error) {
    yield endingOf(error, signal);
  }
}
