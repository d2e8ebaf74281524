import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

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
