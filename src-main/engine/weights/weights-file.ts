import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';

import type { FileIdentity } from './checkpoint.js';
import { changed, identify, identityOf, sameIdentity } from './identity.js';
import { refused, shown } from './refusal.js';

/** Largest single read: Node refuses more than 2 GiB at once. */
const READ_BYTES = 2 ** 30;

/** A weights file, open for reading. Reads are synchronous: tables of contents and small tensors only. */
export class WeightsFile {
  readonly identity: FileIdentity;
  readonly label: string;
  readonly #descriptor: number;

  private constructor(identity: FileIdentity, descriptor: number) {
    this.identity = identity;
    this.label = shown(basename(identity.path));
    this.#descriptor = descriptor;
  }

  /**
   * Opens exactly the file that was identified.
   *
   * @throws ExpectedError `weights.changed` where another file lies there by now.
   */
  static openSync(identity: FileIdentity): WeightsFile {
    let descriptor: number;
    try {
      descriptor = openSync(identity.path, 'r');
    } catch (error) {
      throw isMissing(error) ? changed(identity, error) : refused(`Expected to read ${shown(identity.path)} but may not.`, error);
    }
    const file = new WeightsFile(identity, descriptor);
    if (!sameIdentity(identity, identityOf(identity.path, fstatSync(descriptor)))) {
      file.close();
      throw changed(identity);
    }
    return file;
  }

  get sizeBytes(): number {
    return this.identity.sizeBytes;
  }

  /** Exactly `lengthBytes` bytes; the caller has checked that they lie inside the file. */
  read(offsetBytes: number, lengthBytes: number): Buffer {
    const buffer = Buffer.allocUnsafeSlow(lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      const step = readSync(this.#descriptor, buffer, done, Math.min(lengthBytes - done, READ_BYTES), offsetBytes + done);
      if (step === 0) throw changed(this.identity);
      done += step;
    }
    return buffer;
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Runs `use` on the file that `path` means now and closes it in every case. */
export async function withWeightsFile<T>(path: string, use: (file: WeightsFile) => T): Promise<T> {
  const file = WeightsFile.openSync(await identify(path));
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
