import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { NO_TELEMETRY } from '#base/telemetry.js';
import { packageRoot } from '#packs/places.js';
import { refused } from './arguments.js';
import type { Context } from './command.js';

/** As shells say it: so much more than the signal's number. */
const SIGNALLED = 128;

/**
 * Runs another built program of ours with this terminal and gives its exit code, or that of the signal which ended it or us. Hosts never see each other's
 * code, and the channel tells the other one when we die, so that nothing stays behind.
 */
export async function runBuilt(script: string, args: readonly string[], { signal, log }: Context): Promise<number> {
  const path = join(packageRoot(), 'dist', script);
  if (!existsSync(path)) throw refused(`Expected the built file dist/${script} but found none; run "npm run build" first.`);
  const child = fork(path, [...args], { stdio: 'inherit', env: { ...process.env, ...NO_TELEMETRY } });
  let asked: NodeJS.Signals | undefined;
  const end = (how: NodeJS.Signals): void => {
    asked ??= how;
    child.kill('SIGTERM');
  };
  const interrupt = (): void => {
    end('SIGINT');
  };
  signal.addEventListener('abort', interrupt);
  process.on('SIGTERM', end);
  process.on('SIGHUP', end);
  try {
    const [code, fatal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    const by = asked ?? fatal ?? signalOf(code);
    if (by === undefined) return code ?? 0;
    if (by !== 'SIGINT') log(`scalebrush: ended by ${by}${asked === undefined ? ', which another program sent' : ''}.`);
    return SIGNALLED + constants.signals[by];
  } finally {
    signal.removeEventListener('abort', interrupt);
    process.off('SIGTERM', end);
    process.off('SIGHUP', end);
  }
}

/** Of a program that was told to end by a signal, and did so in good order. */
function signalOf(code: number | null): NodeJS.Signals | undefined {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  return names.find((name) => SIGNALLED + constants.signals[name] === code);
}
