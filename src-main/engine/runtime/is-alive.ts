import { statusOf } from './process-status.js';

/** States of what has ended; its number stays until its parent asks what became of it, which some first processes of containers never do. */
const ENDED = ['Z', 'X'];

/** Is there a process of this number that has not ended? */
export function isAlive(pid: number): boolean {
  return isThere(pid) && !ENDED.includes(statusOf(pid)?.state ?? '');
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** In ticks since the machine began; undefined where the system does not say. */
export function beganAt(pid: number): string | undefined {
  return statusOf(pid)?.began;
}
