import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { _electron } from '@playwright/test';
import { electronBinary } from '../support/electron-binary.js';

/** Milliseconds from the start of the built desktop to a window that takes a photo; each start with a profile of its own. */
export async function startTimes(root: string, runs: number): Promise<{ readonly times: readonly number[]; readonly isReal: boolean }> {
  const { file, isReal } = electronBinary(root);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) times.push(await startOnce(root, file));
  return { times, isReal };
}

async function startOnce(root: string, executablePath: string): Promise<number> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-start-'));
  const env = { ...(process.env as Record<string, string>), SCALEBRUSH_HOME: path.join(folder, 'home') };
  const started = performance.now();
  const app = await _electron.launch({ executablePath, args: [root, `--user-data-dir=${path.join(folder, 'user')}`], cwd: root, env });
  try {
    const page = await app.firstWindow();
    await page.waitForFunction(() => document.documentElement.dataset['phase'] === 'empty');
    return performance.now() - started;
  } finally {
    await app.close();
    await rm(folder, { recursive: true, force: true });
  }
}
