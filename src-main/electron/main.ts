import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { app, BrowserWindow, session, shell } from 'electron';

/**
 * The desktop shell: a window onto the same loopback server that the browser uses, with no
 * powers of its own. The renderer gets no preload, no Node and no permissions.
 */

interface ServerAddress {
  readonly url: string;
}

/** Starts the server with Electron's own Node and waits for the one line that tells its address. */
function startServer(): Promise<{ address: ServerAddress; child: ChildProcess }> {
  const script = path.join(import.meta.dirname, 'server.js');
  const child = spawn(process.execPath, [script, '--json'], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`The server ended with code ${code ?? 'none'} before it was ready.`));
    });
    child.stdout.once('data', (line: Buffer) => {
      resolve({ address: JSON.parse(line.toString('utf8')) as ServerAddress, child });
    });
  });
}

function fence(window: BrowserWindow, origin: string): void {
  window.webContents.on('will-navigate', (event, url) => {
    if (new URL(url).origin !== origin) event.preventDefault();
  });
  window.webContents.setWindowOpenHandler(({ url }) => {
    if (url.startsWith('https://')) void shell.openExternal(url);
    return { action: 'deny' };
  });
}

async function openStudio(): Promise<void> {
  const { address, child } = await startServer();
  app.on('will-quit', () => child.kill());
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  const window = new BrowserWindow({
    width: 1440,
    height: 900,
    backgroundColor: '#3a3a3a',
    show: false,
    webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false },
  });
  fence(window, new URL(address.url).origin);
  window.once('ready-to-show', () => {
    window.show();
  });
  await window.loadURL(address.url);
}

app.on('window-all-closed', () => {
  app.quit();
});
await app.whenReady();
await openStudio();
