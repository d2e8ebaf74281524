import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Where the system has a program; undefined = tests that need it are skipped by name. */
export function programOf(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

export const REDIS_SERVER = programOf('redis-server');

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Ends it at once; `start` goes on with the same folder and port. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const SAFE = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--maxmemory-policy', 'noeviction', '--save', ''];

/** A Redis of this test's own: on loopback, on a free port, with its files in `folder`. */
export async function startRedis(folder: string, settings: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...SAFE, ...settings];
    child = spawn(REDIS_SERVER ?? 'redis-server', args, { stdio: 'ignore' });
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${String(child.exitCode)}.`);
      await pause(20);
    }
  };
  const kill = async (): Promise<void> => {
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  await start();
  return { port, url: `redis://127.0.0.1:${String(port)}`, kill, start };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** It answers, and not that it still loads its log. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(/^\+PONG|^-NOAUTH/u.test(data.toString()));
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
