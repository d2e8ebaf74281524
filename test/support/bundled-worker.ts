import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { buildWorker } from './farm.js';

/** The program of the farm's workers, made before the tests of a file and gone after them. */
export function bundledWorker(): { readonly script: string } {
  const worker = { script: '' };
  let folder = '';
  beforeAll(async () => {
    await mkdir('dist', { recursive: true });
    // Beside node_modules, which it needs.
    folder = await mkdtemp(resolve('dist', 'farm-worker-'));
    worker.script = await buildWorker(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return worker;
}
