import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { OutputFormat } from '#contract/request.js';
import { expectWritable, isSameFile } from '#service/files.js';
import { shownName, splitName } from '#service/names.js';
import { refused } from './arguments.js';

const FORMATS: Readonly<Record<string, OutputFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.tif': 'tiff',
  '.tiff': 'tiff',
  '.avif': 'avif',
};

/** The format that a file's extension asks for. */
export function formatOf(path: string): OutputFormat {
  const { extension } = splitName(path);
  const format = FORMATS[extension.toLowerCase()];
  if (format === undefined) throw refused(`Expected .png, .jpg, .webp, .tiff or .avif for OUT but received ${shownName(path)}.`);
  return format;
}

/** `OUT.png` of a single result; `OUT-1.png`, `OUT-2.png`… of several. */
export function numberedPath(path: string, index: number, count: number): string {
  if (count === 1) return path;
  const { stem, extension } = splitName(path);
  return `${stem}-${String(index + 1)}${extension}`;
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

/** `scale-01.png` for scale 1; of several candidates all but the first have a folder of their own. */
export function scaleFile(
  folder: string,
  { candidate, scale, extension }: { candidate: number; scale: number; extension: string },
): string {
  const home = candidate === 0 ? folder : join(folder, String(candidate + 1));
  return join(home, `scale-${String(scale).padStart(2, '0')}${extension}`);
}
