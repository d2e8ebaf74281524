import { splitName } from '#base/file-name.js';
import type { BatchEntry } from '#contract/batch.js';
import type { SavedFile } from './pictures.js';

/** A folder that the user chose, as the browser lends it. */
export interface LentFolder {
  readonly name: string;
  getFileHandle(name: string, options?: { readonly create?: boolean }): Promise<LentFile>;
}
interface LentFile {
  createWritable(): Promise<{ write(file: Blob): Promise<void>; close(): Promise<void> }>;
}

/** Where the pictures of a batch are written as they are done; nothing that is there is overwritten. */
export class TargetFolder {
  folder = $state.raw<LentFolder>();
  /** Why a picture could not be written. */
  problem = $state<string>();
  /** How many were written. */
  count = $state(0);
  #seen: readonly string[] = [];
  #writing: Promise<void> = Promise.resolve();

  choose(folder: LentFolder): void {
    this.folder = folder;
    this.begin();
  }

  /** Another batch: all of it is still to be written. */
  begin(): void {
    this.#seen = [];
    this.count = 0;
    this.problem = undefined;
  }

  /** Writes those that are done and were not written, one after the other. */
  take(entries: readonly BatchEntry[], resultOf: (entry: BatchEntry) => Promise<SavedFile>): Promise<void> {
    const { folder } = this;
    const fresh = entries.filter(({ state, output }) => state === 'done' && !this.#seen.includes(output));
    if (!folder || fresh.length === 0) return this.#writing;
    this.#seen = [...this.#seen, ...fresh.map(({ output }) => output)];
    this.#writing = this.#writing.then(async () => {
      for (const entry of fresh) await this.#write(folder, await resultOf(entry));
    }).catch((error: unknown) => {
      this.problem = error instanceof Error ? error.message : String(error);
    }); // prettier-ignore
    return this.#writing;
  }

  async #write(folder: LentFolder, { file, name }: SavedFile): Promise<void> {
    const handle = await folder.getFileHandle(await freeName(folder, name), { create: true });
    const writable = await handle.createWritable();
    await writable.write(file);
    await writable.close();
    this.count += 1;
  }
}

/** `a.png`, or `a-2.png` where that is taken, and so on. */
async function freeName(folder: LentFolder, name: string): Promise<string> {
  const { stem, extension } = splitName(name);
  for (let number = 1; ; number++) {
    const wanted = number === 1 ? name : `${stem}-${String(number)}${extension}`;
    const isTaken = await folder.getFileHandle(wanted).then(
      () => true,
      () => false,
    );
    if (!isTaken) return wanted;
  }
}
