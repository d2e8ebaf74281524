import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

/** The most memory that each of these processes has held so far, as Linux counts it. */
export function peakRssBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytesOf(pid, 'VmHWM') * 1024, 0);
}

/** What they hold now. */
export function rssBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + kilobytesOf(pid, 'VmRSS') * 1024, 0);
}

function kilobytesOf(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'mu').exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
}

/** A process and all that it started, directly or not. */
export function familyOf(ancestor: number): readonly number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/u).map(Number));
  const below = (pid: number): readonly number[] => [
    pid,
    ...rows.filter(([, parent]) => parent === pid).flatMap(([child = 0]) => below(child)),
  ];
  return below(ancestor);
}

/** From now on the peak is counted anew. */
export function forgetPeaks(pids: readonly number[]): void {
  for (const pid of pids) writeFileSync(`/proc/${String(pid)}/clear_refs`, '5');
}

/** Seconds of the processor that they have used, themselves and the system for them, at 100 ticks a second as everywhere on Linux. */
export function processorSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) / 100;
  }, 0);
}
