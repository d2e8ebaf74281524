import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll } from 'vitest';

/** A folder of files for one test file, gone afterwards. */
export class TemporaryFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'scalebrush-weights-'));
  #count = 0;

  constructor() {
    afterAll(() => {
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Writes `bytes` under `name`, or a fresh name, and gives the path. */
  write(bytes: Uint8Array | string, name = `file-${String(this.#count++)}`): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }
}
