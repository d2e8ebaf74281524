import { fork } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { app, BrowserWindow, dialog, session, shell, type WebContents } from 'electron';

/**
 * The desktop shell: a window onto the same loopback server that the browser uses, with no
 * powers of its own. The renderer gets no preload, no Node and no permissions.
 */

const WIDTH = 1440; // CSS pixels
const HEIGHT = 900;

/** The server's first line: where it is, or why it is not. */
interface Announcement {
  readonly url?: string;
  readonly error?: { readonly message: string };
}

/** Starts the server with Electron's own Node and waits for the one line that tells its address. */
function startServer(): Promise<string> {
  const script = path.join(import.meta.dirname, 'server.js');
  // The channel tells the server when we are gone, however we went.
  const child = fork(script, ['--json', ...process.argv.slice(app.isPackaged ? 1 : 2)], {
    execPath: process.execPath,
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  app.once('will-quit', () => child.kill());
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

/** Keeps a page on the server's origin; a link to elsewhere opens in the user's browser. */
function fence(contents: WebContents, origin: string): void {
  const stay = (event: { preventDefault(): void; readonly url: string }): void => {
    if (new URL(event.url).origin !== origin) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => {
    event.preventDefault();
  });
  contents.setWindowOpenHandler(({ url }) => {
    if (url.startsWith('https://')) void shell.openExternal(url);
    return { action: 'deny' };
  });
}

function refusePermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session.defaultSession.setPermissionCheckHandler(() => false);
}

async function openStudio(): Promise<void> {
  const url = await startServer();
  refusePermissions();
  const window = new BrowserWindow({
    width: WIDTH,
    height: HEIGHT,
    backgroundColor: '#3a3a3a',
    show: false,
    webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false },
  });
  fence(window.webContents, new URL(url).origin);
  window.once('ready-to-show', () => {
    window.show();
  });
  await window.loadURL(url);
}

app.on('window-all-closed', () => {
  app.quit();
});
// Not awaited here: Electron becomes ready only after this module has been evaluated.
app
  .whenReady()
  .then(openStudio)
  .catch((error: unknown) => {
    dialog.showErrorBox('Scalebrush could not start', error instanceof Error ? error.message : String(error));
    app.exit(1);
  });
