// Utility processes and the ports between them: real processes, each with nothing but a parent port.
import { fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { strict } from './strict.mjs';

const launcher = fileURLToPath(new URL('./utility-boot.mjs', import.meta.url));
/** Taken before the application loses it: nothing runs this executable as Node. */
const realFork = fork;
const ports = new Map();
const living = new Map();
let count = 0;

/** One end of a channel, here or in the process that it was handed to. */
class MessagePortMain extends EventEmitter {
  home = undefined;
  started = false;
  waiting = [];

  constructor() {
    super();
    this.id = ++count;
    ports.set(this.id, this);
  }

  postMessage(data) {
    this.peer.take(structuredClone(data));
  }

  start() {
    this.started = true;
    for (const data of this.waiting.splice(0)) this.emit('message', { data, ports: [] });
  }

  close() {
    ports.delete(this.id);
  }

  take(data) {
    if (this.home) this.home.tell({ port: this.id, data });
    else if (this.started) this.emit('message', { data, ports: [] });
    else this.waiting.push(data);
  }
}

export class MessageChannelMain {
  port1 = new MessagePortMain();
  port2 = new MessagePortMain();

  constructor() {
    this.port1.peer = this.port2;
    this.port2.peer = this.port1;
  }
}

class UtilityProcess extends EventEmitter {
  constructor(module, args, { stdio = 'inherit', serviceName = 'Node Utility Process', env, ...unknown }) {
    super();
    if (Object.keys(unknown).length > 0) throw new Error(`The double knows no option ${Object.keys(unknown)[0]} of a utility process.`);
    const pipes = stdio === 'pipe' ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'inherit', 'inherit', 'ipc'];
    this.child = realFork(launcher, [module, ...args], { serialization: 'advanced', stdio: pipes, execArgv: [], env: env ?? process.env });
    ({ stdout: this.stdout, stderr: this.stderr } = this.child);
    living.set(this.child, serviceName);
    this.child.once('spawn', () => this.emit('spawn'));
    this.child.once('exit', (code) => {
      living.delete(this.child);
      this.emit('exit', code ?? 1);
    });
    this.child.on('message', ({ port, data }) => {
      if (port === undefined) this.emit('message', data);
      else ports.get(port).peer.take(data);
    });
  }

  get pid() {
    return this.child.exitCode === null && this.child.signalCode === null ? this.child.pid : undefined;
  }

  postMessage(data, transfer = []) {
    for (const port of transfer) port.home = this;
    this.tell({ data, ports: transfer.map(({ id }) => id) });
    for (const port of transfer) for (const early of port.waiting.splice(0)) port.take(early);
  }

  tell(message) {
    if (this.child.connected) this.child.send(message);
  }

  kill() {
    return this.child.kill();
  }
}

export const utilityProcess = strict('utilityProcess', {
  fork: (module, args = [], options = {}) => strict('utilityProcess.fork()', new UtilityProcess(module, args, options)),
});

export function endUtilities() {
  for (const child of living.keys()) child.kill('SIGKILL');
}

export function utilityMetrics() {
  return [...living].map(([{ pid }, name]) => ({ pid, type: 'Utility', name }));
}
