import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Link } from '#contract/api.js';
import { enteredLink, visit } from './http-link.js';

/** The built server with the real engine, in a home and a temporary folder of its own. */
export interface LiveServer {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  readonly root: string;
  readonly link: Link<Uint8Array>;
  readonly cookie: string;
  stop(): Promise<void>;
}

export async function startLiveServer(): Promise<LiveServer> {
  const root = await mkdtemp(path.join(tmpdir(), 'live-server-'));
  const env = { ...process.env, SCALEBRUSH_HOME: path.join(root, 'home'), TMPDIR: root };
  const child = spawn(process.execPath, [path.resolve('dist/main/server.js'), '--json'], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const { url, port } = JSON.parse(line) as { url: string; port: number };
  const cookie = await visit(url);
  return { child, url, port, root, cookie, link: enteredLink(new URL(url).origin, cookie), stop: () => stop(child, root) };
}

async function stop(child: ChildProcess, root: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  await rm(root, { recursive: true, force: true });
}
