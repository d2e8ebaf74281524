// A real Chromium, driven over a pipe; its second, public debugging port is for whoever tests the application.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--no-startup-window',
  '--no-first-run',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--remote-debugging-pipe',
  '--remote-debugging-port=0',
];

export class Chromium {
  #process;
  #profile = mkdtempSync(path.join(os.tmpdir(), 'electron-double-'));
  #next = 0;
  #waiting = new Map();
  #listeners = new Map();

  async open() {
    const executable = process.env.SCALEBRUSH_CHROMIUM ?? '/usr/bin/chromium';
    this.#process = spawn(executable, [...FLAGS, `--user-data-dir=${this.#profile}`], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    const address = await this.#address();
    this.#listen();
    await this.send('Target.setDiscoverTargets', { discover: true });
    await this.send('Browser.setDownloadBehavior', { behavior: 'default', eventsEnabled: true });
    process.stderr.write(`DevTools listening on ${address}\n`);
  }

  /** Called for every event of a session; without a session, of the browser. */
  on(session, listener) {
    this.#listeners.set(session, listener);
  }

  send(method, params = {}, session = undefined) {
    this.#next += 1;
    const id = this.#next;
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, ...(session && { sessionId: session }) })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject, method }));
  }

  close() {
    this.#process?.kill('SIGKILL');
    try {
      rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
    } catch {
      // Its children still write there while they end.
    }
  }

  #address() {
    return new Promise((resolve, reject) => {
      let said = '';
      this.#process.stderr.on('data', (data) => {
        said += data;
        const [, address] = /DevTools listening on (ws:\/\/\S+)/u.exec(said) ?? [];
        if (address) resolve(address);
      });
      this.#process.once('exit', () => reject(new Error(`Chromium ended: ${said}`)));
    });
  }

  #listen() {
    let rest = Buffer.alloc(0);
    this.#process.stdio[4].on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0)) {
        const message = JSON.parse(rest.subarray(0, end).toString('utf8'));
        rest = rest.subarray(end + 1);
        this.#take(message);
      }
    });
  }

  #take({ id, sessionId, method, params, result, error }) {
    if (id === undefined) {
      this.#listeners.get(sessionId)?.(method, params);
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(`${waiting.method}: ${error.message}`));
    else waiting?.resolve(result);
  }
}
