import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatOfName } from '#contract/batch.js';
import { ExpectedError } from '#contract/errors.js';
import type { OutputFormat } from '#contract/request.js';
import { expectWritable, isSameFile } from '#service/files.js';
import { shownName } from '#service/names.js';
import { refused } from './arguments.js';

/** The format that a file's extension asks for. */
export function formatOf(path: string): OutputFormat {
  const format = formatOfName(path);
  if (format === undefined) throw refused(`Expected .png, .jpg, .webp, .tiff or .avif for OUT but received ${shownName(path)}.`);
  return format;
}

/** Every file that will be written can be, and none of them is one that we read. */
export async function expectOutputs(outputs: readonly string[], inputs: readonly string[]): Promise<void> {
  for (const output of outputs) {
    await expectWritable(output);
    for (const input of inputs) {
      if (!(await isSameFile(output, input))) continue;
      throw new ExpectedError('output.exists', `Expected another file than ${shownName(input)} for the result: sources are never touched.`);
    }
  }
}

/** Makes the folder of a series of files. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new ExpectedError('output.unwritable', `Expected a writable folder but ${shownName(folder)} is none (${code}).`, { cause });
  }
}

interface ScalePlace {
  readonly candidate: number;
  /** Of several parts of the picture, 1-based. */
  readonly part?: number | undefined;
  readonly scale: number;
  readonly extension: string;
  readonly stem?: string;
}

/** `scale-01.png` for scale 1; of several candidates or parts all but the first have a folder of their own. */
export function scaleFile(folder: string, { candidate, part = 1, scale, extension, stem = 'scale' }: ScalePlace): string {
  const ofCandidate = candidate === 0 ? folder : join(folder, String(candidate + 1));
  const home = part === 1 ? ofCandidate : join(ofCandidate, `part-${String(part)}`);
  return join(home, `${stem}-${String(scale).padStart(2, '0')}${extension}`);
}
