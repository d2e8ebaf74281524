import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NO_TELEMETRY } from '#base/telemetry.js';
import { packageRoot } from '#packs/places.js';
import { refused } from './arguments.js';
import type { Context } from './command.js';

const CANCELLED = 130;

/**
 * Runs another built program of ours with this terminal and gives its exit code. Hosts never see each other's
 * code, and the channel tells the other one when we die, so that nothing stays behind.
 */
export async function runBuilt(script: string, args: readonly string[], { signal }: Context): Promise<number> {
  const path = join(packageRoot(), 'dist', script);
  if (!existsSync(path)) throw refused(`Expected the built file dist/${script} but found none; run "npm run build" first.`);
  const child = fork(path, [...args], { stdio: 'inherit', env: { ...process.env, ...NO_TELEMETRY } });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop);
  process.once('SIGTERM', stop);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code) => {
        resolve(code ?? CANCELLED);
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    process.off('SIGTERM', stop);
  }
}
