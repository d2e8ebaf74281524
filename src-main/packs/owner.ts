import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { beganAt, isAlive } from '#engine/door/is-alive.js';

/**
 * Who made a file, so that others can tell whether whoever made it still lives. The number of a process is not enough: numbers
 * are given again, in containers always the same ones. With it go the moment at which the process began and the place, which is
 * one start of one machine, seen from one container. Written into names of files: `a1b2c3d4-1234-567890`.
 */
export const OWNER = /[0-9a-f]{8}-\d{1,10}-\d{1,15}/u;

/** A mark of another place says nothing here: then what is being written must look alive. */
export type Verdict = 'lives' | 'dead' | 'unknown';

let own: string | undefined;

/** The mark of this process. */
export function ownerMark(): string {
  return (own ??= `${place()}-${String(process.pid)}-${beganAt(process.pid) ?? '0'}`);
}

/** Does the process of a mark still live? Earlier versions wrote its number alone. */
export function verdictOn(mark: string): Verdict {
  if (/^\d{1,10}$/u.test(mark)) return isAlive(Number(mark)) ? 'unknown' : 'dead';
  const [there, pid = '', began] = mark.split('-');
  if (there !== place()) return 'unknown';
  if (!isAlive(Number(pid))) return 'dead';
  const now = beganAt(Number(pid));
  // Some systems do not say when a process began.
  if (now === undefined || began === '0') return mark === ownerMark() ? 'lives' : 'unknown';
  return now === began ? 'lives' : 'dead';
}

let here: string | undefined;

function place(): string {
  const parts = [hostname(), textOf('/proc/sys/kernel/random/boot_id'), linkOf('/proc/self/ns/pid')];
  return (here ??= createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8));
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
