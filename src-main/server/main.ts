import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { ExpectedError, toErrorData } from '#contract/errors.js';
import { tolerateClosedPipes } from '#engine/door/closed-pipes.js';
import { packageRoot, sessionFile } from '#packs/places.js';
import { openService } from '#service/open.js';
import { keptSession } from './kept-session.js';
import { startServer, type RunningServer } from './server.js';
import { keepHeapSteady } from './steady-heap.js';

const MAX_PORT = 65_535;
const BROWSER_COMMANDS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Serves until it is told to stop: by a signal, or because the program that started it is gone. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { port: { type: 'string' }, open: { type: 'boolean' }, json: { type: 'boolean' } } });
  const service = await openService(async (parts) => (await import('#farm/open.js')).openFarm(parts));
  try {
    const port = portOf(values.port);
    const rendererFolder = join(packageRoot(), 'dist', 'renderer');
    // Pages of an earlier start find only a port that was chosen.
    const session = port > 0 ? await keptSession(sessionFile()) : undefined;
    const server = await startServer({ service, port, rendererFolder, ...(session !== undefined && { session }) });
    announce(server, values.json === true);
    if (process.stdin.isTTY && values.json !== true) announceAgain(server);
    if (values.open === true) openBrowser(server.url);
    const how = await toldToStop();
    await server.close();
    // As shells say it: so much more than the signal's number.
    return how === 'left' ? 0 : 128 + constants.signals[how];
  } finally {
    await service.close();
  }
}

function portOf(text = '0'): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= MAX_PORT) return port;
  throw new ExpectedError(
    'request.invalid',
    `Expected a whole number from 0 to ${String(MAX_PORT)} for --port but received ${JSON.stringify(text)}.`,
  );
}

function announce({ url, port }: RunningServer, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify({ url, port })}\n` : `${url}\n`);
}

/** Enter prints another address, for another browser. */
function announceAgain(server: RunningServer): void {
  process.stderr.write('scalebrush: that address opens one browser; press Enter for another.\n');
  const lines = createInterface(process.stdin);
  lines.on('line', () => process.stdout.write(`${server.issueUrl()}\n`));
  // The terminal itself is no reason to go on.
  process.stdin.unref();
}

/** The address is printed in any case: a machine without a browser is no failure. */
function openBrowser(url: string): void {
  const [command = 'xdg-open', ...args] = BROWSER_COMMANDS[process.platform] ?? [];
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true });
  child.once('error', () => {
    process.stderr.write('scalebrush: no browser could be opened; open the address yourself.\n');
  });
  child.unref();
}

/** By a signal, or because whoever started us has left. */
function toldToStop(): Promise<NodeJS.Signals | 'left'> {
  return new Promise((resolve) => {
    process.on('SIGINT', resolve);
    process.on('SIGTERM', resolve);
    process.once('disconnect', () => {
      resolve('left');
    });
  });
}

tolerateClosedPipes();
keepHeapSteady();
try {
  process.exitCode = await main();
} catch (error) {
  const { code, message, advice } = toErrorData(error);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code, message, advice } })}\n`);
  const expected = error instanceof ExpectedError;
  process.stderr.write(`scalebrush: ${expected || !(error instanceof Error) ? `${message} ${advice}` : (error.stack ?? message)}\n`);
  process.exitCode = expected ? 2 : 1;
}
// The channel to the program that started us would keep the process alive.
if (process.connected) process.disconnect();
