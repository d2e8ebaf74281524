import { readFileSync } from 'node:fs';
import { at } from '#base/assert.js';

const STATE = 0;
const USER_TIME = 11;
const SYSTEM_TIME = 12;
const BEGAN = 19;

/** What a process does, as the system sees it; times in the system's ticks. */
export interface ProcessStatus {
  /** In one letter (proc(5)). `T`: somebody has stopped it; it goes on when it is told to, or never. */
  readonly state: string;
  /** The processor time that it has used. */
  readonly ticks: number;
  /** Since the machine began. */
  readonly began: string;
}

/** Undefined where the system does not tell, or it is gone. */
export function statusOf(pid: number | undefined): ProcessStatus | undefined {
  if (pid === undefined) return undefined;
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    // Its name, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      state: at(fields, STATE),
      ticks: Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]),
      began: at(fields, BEGAN),
    };
  } catch {
    return undefined;
  }
}
