import { readFileSync } from 'node:fs';
import os from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ExpectedError } from '#contract/errors.js';
import { tooLittleMemory } from '#contract/forecast.js';

const MEBIBYTE = 1024 * 1024;
/** Left to the system and to everything else that runs. */
const RESERVE_BYTES = 256 * MEBIBYTE;
/** Below this, previews are left out: a decode of its own for each. */
const SHORT_BYTES = 512 * MEBIBYTE;

/** The most memory that this process has held. */
export function peakRssBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

/** Arrays of this size in all are worth a moment's halt: keys and values of large models, which the decoder needs the room of. */
const WORTH_RECLAIMING_BYTES = 512 * MEBIBYTE;
/** Behind a run: its photograph, which would lie beside that of the next one, or for hours. Looking for it takes 60 ms of a processor. */
const LEFT_OVER_BYTES = 64 * MEBIBYTE;

let collect: (() => void) | undefined;

/**
 * Gives large arrays that nobody holds any more back to the system. The runtime's own memory does not press on V8, which
 * would let them lie until its next full collection.
 */
export function reclaimMemory(): void {
  if (process.memoryUsage().external >= WORTH_RECLAIMING_BYTES) collectGarbage();
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  collect ??= runInNewContext('gc') as () => void;
  collect();
}

/** What a run that has ended left. */
export function reclaimLeftOver(): void {
  if (process.memoryUsage().external >= LEFT_OVER_BYTES) collectGarbage();
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

/** What of it can be taken while the system still breathes. */
export function spareBytes(freeBytes: number): number {
  return Math.max(0, freeBytes - RESERVE_BYTES);
}

/** Whether so little is left that what can be done without is left out. */
export function isShort(freeBytes: number): boolean {
  return freeBytes < SHORT_BYTES;
}

/** Asks before memory is taken: an answer in words beats a killed process. */
export function assertFits(neededBytes: number, availableBytes: number): void {
  if (neededBytes > availableBytes) throw tooLittleMemory({ neededBytes, availableBytes });
}

/**
 * What the operator lets the inference process have in all, by its own forecast; without a word, everything.
 *
 * @throws ExpectedError `request.invalid` for what is no size.
 */
export function memoryLimitBytes(environment: NodeJS.ProcessEnv = process.env): number {
  const text = environment['SCALEBRUSH_MEMORY_LIMIT'] ?? '';
  if (text === '') return Number.POSITIVE_INFINITY;
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?) ?(MB|GB)$/u.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (unit === 'GB' ? 1024 : 1) * MEBIBYTE;
  throw new ExpectedError(
    'request.invalid',
    `Expected a size like 1500MB or 2GB for SCALEBRUSH_MEMORY_LIMIT but received ${JSON.stringify(text)}.`,
  );
}
