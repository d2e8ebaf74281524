import type { Cancellation } from '#base/cancellation.js';
import { endingOf } from '#contract/ending.js';
import { memoryLimitBytes } from '#engine/runtime/memory.js';
import { InferenceProcess } from '#engine/runtime/process.js';
import type { Engine, EngineEvent, EngineJob } from './engine.js';

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
  return {
    run: (job, signal) => run(process, job, signal),
    forecast: (job) => process.call('forecast', [job]),
    controlMap: (job) => process.call('controlMap', [job]),
    describe: (picture) => process.call('describe', [picture]),
    convert: (picture, output) => process.call('convert', [picture, output]),
    carry: (change) => process.call('carry', [change]),
    readMask: (mask, size) => process.call('readMask', [mask, size]),
    layers: (layers) => process.call('layers', [layers]),
    tokenize: (pack, picture) => process.call('tokenize', [pack, picture]),
    decode: (pack, tokens, output) => process.call('decode', [pack, { tokens, output }]),
    checkInstruction: (pack, instruction) => process.call('checkInstruction', [pack, instruction]),
    providers: () => process.call('providers', []),
    machine: () => process.call('machine', []),
    inspect: (file) => process.call('inspect', [file]),
    writeWeights: (work, signal) => process.stream('writeWeights', [work], signal),
    kill: () => {
      process.kill();
    },
    close: () => process.close(),
  };
}

/** A process that dies or is killed in mid-run ends the stream with an event too. */
async function* run(process: InferenceProcess, job: EngineJob, signal: Cancellation): AsyncGenerator<EngineEvent, void> {
  try {
    yield* process.stream<EngineEvent>('run', [job], signal);
  } catch (error) {
    yield endingOf(error, signal);
  }
}
