// What a utility process finds: a parent port, and no other way to anyone. It ends with the application.
import { EventEmitter } from 'node:events';
import { pathToFileURL } from 'node:url';
import { forbidFork } from './no-fork.mjs';
import { strict } from './strict.mjs';

const [module, ...args] = process.argv.slice(2);
const send = process.send.bind(process);
const ports = new Map();

class Port extends EventEmitter {
  started = false;
  waiting = [];

  constructor(id) {
    super();
    this.id = id;
    ports.set(id, this);
  }

  postMessage(data) {
    send({ port: this.id, data });
  }

  start() {
    this.started = true;
    for (const data of this.waiting.splice(0)) this.emit('message', { data, ports: [] });
  }

  close() {
    ports.delete(this.id);
  }

  take(data) {
    if (this.started) this.emit('message', { data, ports: [] });
    else this.waiting.push(data);
  }
}

/** Messages wait until somebody listens. */
class Parent extends EventEmitter {
  waiting = [];

  constructor() {
    super();
    this.on('newListener', (event) => {
      if (event === 'message') queueMicrotask(() => this.waiting.splice(0).forEach((message) => this.emit('message', message)));
    });
  }

  postMessage(data) {
    send({ data });
  }

  take(message) {
    if (this.listenerCount('message') > 0) this.emit('message', message);
    else this.waiting.push(message);
  }
}

const parent = new Parent();
process.on('message', ({ port, data, ports: ids = [] }) => {
  if (port !== undefined) ports.get(port)?.take(data);
  else parent.take({ data, ports: ids.map((id) => strict('MessagePortMain', new Port(id))) });
});
process.on('disconnect', () => process.exit(0));
process.parentPort = strict('parentPort', parent);
process.send = undefined;
process.type = 'utility';
process.argv = [process.execPath, module, ...args];
forbidFork();
await import(pathToFileURL(module).href);
