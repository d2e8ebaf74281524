import { splitName } from '#base/file-name.js';
import { CancelledError, toErrorData, type ErrorData } from './errors.js';
import type { Notice } from './event.js';
import type { OutputFormat } from './request.js';

const FORMATS: Readonly<Record<string, OutputFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.tif': 'tiff',
  '.tiff': 'tiff',
  '.avif': 'avif',
};

/** These open, and their results are written as PNG. */
const SOURCES_ONLY = ['.gif', '.bmp'];

/** Refused by name when they are opened: better said than passed over. */
const REFUSED = ['.heic', '.heif', '.jxl', '.jp2', '.psd', '.svg', '.pdf', '.dng', '.cr2', '.cr3', '.nef', '.arw', '.raf', '.orf', '.rw2'];

/** The format that a file's extension asks for; undefined for all others. */
export function formatOfName(name: string): OutputFormat | undefined {
  return FORMATS[splitName(name).extension.toLowerCase()];
}

/** Does the name say that this is a picture? */
export function isPictureName(name: string): boolean {
  return (
    !name.startsWith('.') &&
    (formatOfName(name) !== undefined || [...SOURCES_ONLY, ...REFUSED].includes(splitName(name).extension.toLowerCase()))
  );
}

/** One file of a batch, and what its result will be called. */
export interface BatchPlan {
  readonly source: string;
  readonly output: string;
  readonly format: OutputFormat;
}

/** `kept` = was done by an earlier start of the same batch. */
export type BatchState = 'waiting' | 'running' | 'done' | 'kept' | 'refused';

export interface BatchEntry extends BatchPlan {
  readonly state: BatchState;
  /** Why it was refused. */
  readonly error?: ErrorData;
  readonly ms?: number;
  /** What its file holds and its result does not. */
  readonly notices?: readonly Notice[];
}

/** What became of a batch, as a file. */
export interface BatchReport {
  readonly done: number;
  readonly kept: number;
  readonly refused: number;
  /** Not reached, because the batch was stopped. */
  readonly waiting: number;
  readonly entries: readonly BatchEntry[];
}

/**
 * Results keep the names and formats of their sources, unless a format is asked for. Two sources whose results would
 * have one name are told apart: `a.jpg` and `a.tif` as PNG become `a.png` and `a.tif.png`. Letter case does not tell them apart.
 */
export function planBatch(sources: readonly string[], format?: OutputFormat): readonly BatchPlan[] {
  const taken = new Set<string>();
  return sources.map((source) => {
    const wanted = format ?? formatOfName(source) ?? 'png';
    const name = source.split(/[/\\]/u).at(-1) ?? source;
    const output = freeName(formatOfName(name) === wanted ? [name] : [`${splitName(name).stem}.${wanted}`, `${name}.${wanted}`], taken);
    taken.add(output.toLowerCase());
    return { source, output, format: wanted };
  });
}

function freeName(wishes: readonly string[], taken: ReadonlySet<string>): string {
  const free = wishes.find((name) => !taken.has(name.toLowerCase()));
  if (free !== undefined) return free;
  const { stem, extension } = splitName(wishes[0] ?? 'picture');
  for (let n = 2; ; n++) {
    const name = `${stem}-${String(n)}${extension}`;
    if (!taken.has(name.toLowerCase())) return name;
  }
}

export interface BatchChange {
  readonly index: number;
  readonly entry: BatchEntry;
}

/**
 * Does one file after the other and tells every change. What fails is refused, and the others go on.
 *
 * @throws CancelledError when `one` does: the file that was at work waits again.
 */
export async function* runBatch(
  entries: readonly BatchEntry[],
  one: (entry: BatchEntry) => Promise<Pick<BatchEntry, 'state' | 'ms' | 'notices'>>,
): AsyncGenerator<BatchChange, void> {
  for (const [index, entry] of entries.entries()) {
    if (entry.state !== 'waiting') continue;
    yield { index, entry: { ...entry, state: 'running' } };
    try {
      yield { index, entry: { ...entry, ...(await one(entry)) } };
    } catch (error) {
      if (error instanceof CancelledError) {
        yield { index, entry };
        throw error;
      }
      yield { index, entry: { ...entry, state: 'refused', error: toErrorData(error) } };
    }
  }
}

export function reportOf(entries: readonly BatchEntry[]): BatchReport {
  const count = (...states: readonly BatchState[]) => entries.filter(({ state }) => states.includes(state)).length;
  return { done: count('done'), kept: count('kept'), refused: count('refused'), waiting: count('waiting', 'running'), entries };
}
