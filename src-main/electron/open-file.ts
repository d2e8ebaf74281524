import { stat, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { OpenedFile } from '#contract/desktop.js';
import { MAX_PICTURE_BYTES } from '#service/files.js';

/** The pictures that a command line names: what is no option and exists as a file. */
export async function filesIn(commandLine: readonly string[], workingFolder: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const word of commandLine) {
    if (word.startsWith('-')) continue;
    const file = path.resolve(workingFolder, word);
    const isFile = await stat(file).then((facts) => facts.isFile(), () => false); // prettier-ignore
    if (isFile) files.push(file);
  }
  return files;
}

/** The bytes of a picture; nothing in them is looked at here. Throws with a sentence for the user. */
export async function readOpenedFile(file: string): Promise<OpenedFile> {
  const { size } = await stat(file);
  if (size > MAX_PICTURE_BYTES) {
    throw new Error(`Expected a picture of at most ${String(MAX_PICTURE_BYTES / 2 ** 20)} MB but ${path.basename(file)} is larger.`);
  }
  return { name: path.basename(file), bytes: new Uint8Array(await readFile(file)) };
}
