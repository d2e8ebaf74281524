import path from 'node:path';
import { createInterface } from 'node:readline';
import { MessageChannelMain, utilityProcess, type UtilityProcess } from 'electron';
import { NO_TELEMETRY } from '#base/telemetry.js';
import type { FromShell, ToShell } from '#contract/desktop.js';
import type { Log } from './log.js';

/** The server's first line: where it is, or why it is not. */
interface Announcement {
  readonly url?: string;
  readonly error?: { readonly message: string };
}

export interface ServiceProcess {
  /** The address on this machine, with a token that is good for one visit: the shell's. Rejects where there will be none. */
  readonly url: Promise<string>;
  /** Resolves when it has ended, however it went. */
  readonly ended: Promise<void>;
  stop(): void;
}

/**
 * Starts the service in a utility process, and the inference processes that it asks for in others: the service may
 * start none itself, because nothing but the shell runs this executable as Node.
 */
export function startServiceProcess(log: Log): ServiceProcess {
  const service = start('server.js', 'Scalebrush Service');
  const inference = new Map<number, UtilityProcess>();
  const tell = (news: FromShell): void => {
    service.postMessage(news);
  };
  service.on('message', (wish: ToShell) => {
    const { id } = wish;
    if (wish.kind !== 'start') {
      end(inference.get(id), wish.kind);
      return;
    }
    const child = start('inference.js', 'Scalebrush Inference', wish.env);
    const { port1, port2 } = new MessageChannelMain();
    inference.set(id, child);
    child.once('exit', (code) => {
      inference.delete(id);
      tell({ kind: 'ended', id, how: `code ${code}` });
    });
    keepLines(child, log);
    child.postMessage(undefined, [port1]);
    // Its number is known from here on.
    child.once('spawn', () => {
      service.postMessage({ kind: 'started', id, pid: child.pid } satisfies FromShell, [port2]);
    });
  });
  const ended = new Promise<void>((resolve) => {
    service.once('exit', () => {
      for (const child of inference.values()) child.kill();
      resolve();
    });
  });
  const url = announcedBy(service);
  keepLines(service, log);
  return { url, ended, stop: () => service.kill() };
}

function start(script: string, serviceName: string, more: Readonly<Record<string, string>> = {}): UtilityProcess {
  const env = { ...more, ...process.env, ...NO_TELEMETRY };
  return utilityProcess.fork(path.join(import.meta.dirname, script), ['--json'], { stdio: 'pipe', serviceName, env });
}

/** Electron’s own way asks politely, which a stopped process does not hear. */
function end(child: UtilityProcess | undefined, how: 'stop' | 'kill'): void {
  if (how === 'kill' && child?.pid !== undefined) process.kill(child.pid, 'SIGKILL');
  else child?.kill();
}

function announcedBy(service: UtilityProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    service.once('exit', (code) => {
      reject(new Error(`The service ended with code ${code} before it was ready.`));
    });
    if (service.stdout === null) return;
    createInterface(service.stdout).once('line', (line) => {
      const { url, error } = JSON.parse(line) as Announcement;
      if (url !== undefined) resolve(url);
      else reject(new Error(error?.message ?? 'Expected an address from the service but received none.'));
    });
  });
}

/** What it complains of is kept; its address, on the other pipe, is not. */
function keepLines({ stderr }: UtilityProcess, log: Log): void {
  if (stderr !== null) createInterface(stderr).on('line', (line) => { log.warn(line); }); // prettier-ignore
}
