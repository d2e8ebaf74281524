import { app, dialog, type BrowserWindow } from 'electron';
import { CHANNELS } from '#contract/desktop.js';
import { showMenus } from './menu.js';
import { filesIn, readOpenedFile } from './open-file.js';
import { startServerProcess, type ServerProcess } from './server-process.js';
import { SettingsFile } from './settings.js';
import { createWindow, fence, refusePermissions } from './window.js';

/**
 * The desktop shell: a window onto the same loopback server that the browser uses. The page has no powers of its own;
 * menus and files come to it as messages, and it sends none back.
 */
class Shell {
  readonly #settings = new SettingsFile(app.getPath('userData'));
  #server: ServerProcess | undefined;
  #window: BrowserWindow | undefined;
  #quitting = false;

  async open(): Promise<void> {
    const server = await startServerProcess();
    this.#server = server;
    refusePermissions();
    const window = createWindow(this.#settings);
    this.#window = window;
    fence(window.webContents, () => new URL(this.#server?.url ?? server.url).origin);
    window.once('closed', () => (this.#window = undefined));
    app.once('before-quit', () => (this.#quitting = true));
    app.once('will-quit', () => this.#server?.stop());
    this.#showMenus();
    this.#watch(server);
    await window.loadURL(server.url);
    for (const file of await filesIn(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd())) await this.openFile(file);
  }

  /** A second start brings this window to the front, with the file that it was started with. */
  async startedAgain(commandLine: readonly string[], workingFolder: string): Promise<void> {
    if (this.#window?.isMinimized()) this.#window.restore();
    this.#window?.focus();
    for (const file of await filesIn(commandLine.slice(1), workingFolder)) await this.openFile(file);
  }

  async openFile(file: string): Promise<void> {
    try {
      this.#window?.webContents.send(CHANNELS.file, await readOpenedFile(file));
      this.#settings.opened(file);
    } catch (error) {
      this.#settings.forget(file);
      dialog.showErrorBox('The file could not be opened', messageOf(error));
    }
    this.#showMenus();
  }

  #showMenus(): void {
    showMenus({
      command: (command) => this.#window?.webContents.send(CHANNELS.command, command),
      openRecent: (file) => void this.openFile(file),
      recent: this.#settings.current.recent,
      forDevelopers: !app.isPackaged,
    });
  }

  /** A server that dies takes its pictures with it; a new one is there at once, and the window says so. */
  #watch(server: ServerProcess): void {
    void server.ended.then(async () => {
      if (this.#quitting || !this.#window) return;
      dialog.showErrorBox('Scalebrush had to start anew', 'The process that held your pictures ended. Please open your photo again.');
      const next = await startServerProcess();
      this.#server = next;
      this.#watch(next);
      await this.#window.loadURL(next.url);
    }).catch(giveUp); // prettier-ignore
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function giveUp(error: unknown): void {
  dialog.showErrorBox('Scalebrush could not start', messageOf(error));
  app.exit(1);
}

if (app.requestSingleInstanceLock()) {
  const shell = new Shell();
  app.on('second-instance', (_event, commandLine, workingFolder) => void shell.startedAgain(commandLine, workingFolder));
  app.on('open-file', (event, file) => {
    event.preventDefault();
    void app.whenReady().then(() => shell.openFile(file));
  });
  app.on('window-all-closed', () => {
    app.quit();
  });
  // Not awaited here: Electron becomes ready only after this module has been evaluated.
  app
    .whenReady()
    .then(() => shell.open())
    .catch(giveUp);
} else app.quit();
