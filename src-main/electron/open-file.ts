import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { OpenedFile } from '#contract/desktop.js';

/** A photograph, its steps and its candidates: what the service takes of a project, which is more than it takes of a picture. */
const MAX_BYTES = 1024 ** 3;
/** Where the page fetches what was opened for it. */
export const OPENED = '/opened/';

/** The files that a command line names: what is no option and exists as a file. */
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

/** The files that the user opened, for the page to fetch: each once, by a name that only it was told, and never by its path. */
export class OpenedFiles {
  readonly #waiting = new Map<string, string>();

  /** Throws with a sentence for the user. Nothing in the file is looked at here. */
  async offer(file: string): Promise<OpenedFile> {
    const { size } = await stat(file);
    const name = path.basename(file);
    if (size > MAX_BYTES) throw new Error(`Expected a file of at most ${String(MAX_BYTES / 2 ** 20)} MB but ${name} is larger.`);
    const key = OPENED + randomUUID();
    this.#waiting.set(key, file);
    return { name, address: key };
  }

  /** The bytes; undefined for what was not offered, or was fetched before. */
  take(pathname: string): ReadableStream<Uint8Array> | undefined {
    const file = this.#waiting.get(pathname);
    if (file === undefined) return undefined;
    this.#waiting.delete(pathname);
    return Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>;
  }
}
