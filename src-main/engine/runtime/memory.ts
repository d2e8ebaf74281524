import { readFileSync } from 'node:fs';
import os from 'node:os';
import { ExpectedError } from '#contract/errors.js';

const MEBIBYTE = 1024 * 1024;
/** Left to the system and to everything else that runs. */
const RESERVE_BYTES = 256 * MEBIBYTE;
/** Below this, previews are left out: a decode of its own for each. */
const SHORT_BYTES = 512 * MEBIBYTE;

/** The most memory that this process has held. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** What can be taken now without swapping: the kernel's own estimate, or a container's limit where that is lower. */
export function availableBytes(): number {
  return Math.min(systemBytes(), containerBytes());
}

function systemBytes(): number {
  const match = /^MemAvailable:\s+(\d+) kB/mu.exec(readText('/proc/meminfo'));
  return match ? Number(match[1]) * 1024 : os.freemem();
}

function containerBytes(): number {
  const limit = Number(readText('/sys/fs/cgroup/memory.max'));
  const used = Number(readText('/sys/fs/cgroup/memory.current'));
  return limit > 0 && Number.isFinite(limit) && Number.isFinite(used) ? Math.max(0, limit - used) : Number.POSITIVE_INFINITY;
}

/** Empty where the file does not exist: not every system has it. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Whether so much can be taken and the system still breathes. */
export function fits(neededBytes: number, freeBytes: number): boolean {
  return neededBytes + RESERVE_BYTES <= freeBytes;
}

/** Whether so little is left that what can be done without is left out. */
export function isShort(freeBytes: number): boolean {
  return freeBytes < SHORT_BYTES;
}

/** Asks before memory is taken: an answer in words beats a killed process. */
export function assertFits(
  neededBytes: number,
  advice: { readonly lighterPreset: string | undefined },
  freeBytes = availableBytes(),
): void {
  if (fits(neededBytes, freeBytes)) return;
  const suggestion = advice.lighterPreset === undefined ? '' : `; try the preset "${advice.lighterPreset}"`;
  throw new ExpectedError(
    'memory.too-little',
    `This needs ${inMegabytes(neededBytes)} but only ${inMegabytes(freeBytes)} is free${suggestion}.`,
    {
      details: { neededBytes, freeBytes, ...(advice.lighterPreset !== undefined && { preset: advice.lighterPreset }) },
    },
  );
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / MEBIBYTE)} MB`;
}
