import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The server's first line: where it is, or why it is not. */
interface Announcement {
  readonly url?: string;
  readonly error?: { readonly message: string };
}

export interface ServerProcess {
  /** The address to load, with a token that is good for one visit. */
  readonly url: string;
  /** Resolves when it has ended, however it went. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Starts the server with Electron's own Node and waits for the one line that tells its address. */
export async function startServerProcess(): Promise<ServerProcess> {
  const script = path.join(import.meta.dirname, 'server.js');
  // The channel tells the server when we are gone, however we went.
  const child = fork(script, ['--json'], {
    execPath: process.execPath,
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => { resolve(); })); // prettier-ignore
  return { url: await announcedBy(child), ended, stop: () => child.kill() };
}

function announcedBy(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`The server ended with code ${code ?? 'none'} before it was ready.`));
    });
    if (child.stdout === null) return;
    createInterface(child.stdout).once('line', (line) => {
      const { url, error } = JSON.parse(line) as Announcement;
      if (url !== undefined) resolve(url);
      else reject(new Error(error?.message ?? 'Expected an address from the server but received none.'));
    });
  });
}
