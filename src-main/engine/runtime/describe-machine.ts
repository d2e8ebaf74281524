import os from 'node:os';
import type { MachineReport } from '#contract/api.js';
import { integerInstructions } from './integer-instructions.js';

/** What stays the same of this machine. */
export function describeMachine(): Omit<MachineReport, 'freeBytes' | 'gflops'> {
  const processor = os.cpus()[0]?.model.trim() ?? os.arch();
  return { processor, threads: os.availableParallelism(), memoryBytes: os.totalmem(), integers: integerInstructions() };
}
