import { fork } from 'node:child_process';
import { NO_TELEMETRY } from '#base/telemetry.js';
import type { FromShell, MaybeUtility, MessagePort, ParentPort, ToShell } from '#contract/desktop.js';
import type { Answer, Question } from './process-protocol.js';

/** The inference process as its owner sees it. */
export interface InferenceChild {
  /** Absent until it is known. */
  readonly pid: number | undefined;
  /** Resolves with how it ended. Questions that were on their way are lost. */
  readonly ended: Promise<string>;
  send(question: Question): void;
  /** Ends it when it listens next. */
  stop(): void;
  /** Ends it at once, whatever it does. */
  kill(): void;
  /** Whether it keeps this program alive. */
  hold(busy: boolean): void;
}

/**
 * glibc keeps freed blocks of up to 32 MB for itself once it has seen such: of an encoder of text in int4, all of its memory.
 * A fixed limit gives everything larger back to the system; other systems do not look at it.
 */
const GIVE_BACK = { MALLOC_MMAP_THRESHOLD_: String(2 ** 20) };

/**
 * What lives shortly gets more and more room from V8, up to 32 MB, and loses it again when the process rests. Large arrays lie
 * elsewhere: two halves of 4 MB cost an edit nothing, and the process holds as much after hours as at its beginning.
 */
const STEADY_HEAP = ['--max-semi-space-size=4'];

type Listener = (answer: Answer) => void;

/** Starts the built script: by itself, or, in a utility process of the desktop, through the shell, which alone may start processes there. */
export function startChild(entry: string, listener: Listener): InferenceChild {
  const { parentPort } = process as MaybeUtility;
  return parentPort ? rentedChild(parentPort, listener) : forkedChild(entry, listener);
}

function forkedChild(entry: string, listener: Listener): InferenceChild {
  const env = { ...GIVE_BACK, ...process.env, ...NO_TELEMETRY };
  const execArgv = [...process.execArgv, ...STEADY_HEAP];
  const child = fork(entry, [], { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'], env, execArgv });
  child.on('message', listener);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => { resolve(signal ?? `code ${code ?? 'unknown'}`); }); // prettier-ignore
    child.on('error', ({ message }) => { resolve(message); }); // prettier-ignore
  });
  return {
    pid: child.pid,
    ended,
    // A channel that is closed says so by the error event, or by the exit that closed it.
    send: (question) => void child.send(question, (error) => error && child.emit('error', error)),
    stop: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
    hold: (busy) => {
      if (busy) child.ref();
      else child.unref();
      if (busy) child.channel?.ref();
      else child.channel?.unref();
    },
  };
}

let rented = 0;

/** Questions go straight to it over a port; only its beginning and its end go through the shell. */
function rentedChild(shell: ParentPort, listener: Listener): InferenceChild {
  const id = ++rented;
  let pid: number | undefined;
  const tell = (wish: ToShell): void => {
    shell.postMessage(wish);
  };
  let connect: (port: MessagePort) => void;
  const port = new Promise<MessagePort>((resolve) => (connect = resolve));
  const ended = new Promise<string>((resolve) => {
    shell.on('message', function hear({ data, ports: [opened] }) {
      const news = data as FromShell;
      if (news.id !== id) return;
      if (news.kind === 'started') ({ pid } = news);
      if (opened) connect(opened);
      if (news.kind !== 'ended') return;
      shell.off('message', hear);
      resolve(news.how);
    });
  });
  void port.then((open) => {
    open.on('message', ({ data }) => { listener(data as Answer); }); // prettier-ignore
    open.start();
  });
  tell({ kind: 'start', id, env: GIVE_BACK });
  return {
    get pid() {
      return pid;
    },
    ended,
    send: (question) => void port.then((open) => { open.postMessage(question); }), // prettier-ignore
    stop: () => { tell({ kind: 'stop', id }); }, // prettier-ignore
    kill: () => { tell({ kind: 'kill', id }); }, // prettier-ignore
    hold: () => undefined,
  };
}
