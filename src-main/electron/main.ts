import { existsSync } from 'node:fs';
import path from 'node:path';
import { app, clipboard, dialog, shell, type BrowserWindow, type WebContents } from 'electron';
import type { ProviderReport } from '#contract/api.js';
import { CHANNELS, PAGE_CHANNELS, STUDIO } from '#contract/desktop.js';
import type { LanguageTag } from '#contract/preferences.js';
import type { PictureId } from '#contract/request.js';
import { diagnosticsOf } from './diagnostics.js';
import { DragOut } from './drag-out.js';
import { openLog } from './log.js';
import { showMenus } from './menu.js';
import { filesIn, OpenedFiles } from './open-file.js';
import { hearPage } from './page-messages.js';
import { Runs } from './runs.js';
import { askWhereToSave } from './save-dialog.js';
import { ServiceClient } from './service-client.js';
import { startServiceProcess, type ServiceProcess } from './service-process.js';
import { SettingsFile } from './settings.js';
import { claimScheme, serveStudio } from './studio-protocol.js';
import { lookForUpdate } from './updates.js';
import { createWindow, fence, refusePermissions } from './window.js';
import { SHELL_WORDS, type ShellWords } from './words.js';

const LOG_LINES = 200;

/**
 * The desktop shell: a window onto the service, which lives in a utility process. The page has no powers of its own;
 * menus and files come to it as messages; it sends four, which ask for a drag, say its language, ask for the folder
 * of what was saved last, and ask to save there once more.
 */
class Shell {
  readonly #log = openLog(path.join(app.getPath('userData'), 'logs'));
  readonly #settings = new SettingsFile(app.getPath('userData'));
  readonly #opened = new OpenedFiles();
  /** The file that the page saved last. */
  #saved: string | undefined;
  readonly #dragOut = new DragOut();
  readonly #runs = new Runs(() => this.#window, this.#settings);
  #process: ServiceProcess | undefined;
  #service = new Promise<ServiceClient>(() => undefined);
  #window: BrowserWindow | undefined;
  #quitting = false;

  async open(): Promise<void> {
    this.#log.info(`Scalebrush ${app.getVersion()} begins.`);
    this.#startService();
    refusePermissions();
    const asking = askWhereToSave(this.#settings, (file) => {
      this.#saved = file ?? this.#saved;
      this.#window?.webContents.send(CHANNELS.saved, file && path.basename(file));
    });
    serveStudio({
      folder: path.join(import.meta.dirname, '../renderer'),
      service: (request) => this.#answer(request),
      opened: this.#opened,
    });
    const heard = {
      dragOut: (picture: PictureId, contents: WebContents) => void this.#drag(picture, contents),
      language: (language: LanguageTag) => {
        this.#settings.change({ language });
        this.#showMenus();
      },
      showSaved: () => {
        if (this.#saved !== undefined) shell.showItemInFolder(this.#saved);
      },
      saveAsLast: () => {
        asking.skipOnce();
      },
    };
    hearPage(PAGE_CHANNELS, heard, this.#log);
    const window = createWindow(this.#settings);
    this.#window = window;
    fence(window.webContents);
    window.once('closed', () => (this.#window = undefined));
    window.webContents.on('render-process-gone', (_event, { reason }) => void this.#beginAnew(({ anew }) => anew.windowEnded(reason)));
    app.once('before-quit', () => (this.#quitting = true));
    app.once('will-quit', () => this.#process?.stop());
    this.#showMenus();
    await window.loadURL(STUDIO.url);
    for (const file of await filesIn(process.argv.slice(app.isPackaged ? 1 : 2), process.cwd())) await this.openFile(file);
    await this.#lookForUpdate();
  }

  /** A second start brings this window to the front, with the file that it was started with. */
  async startedAgain(commandLine: readonly string[], workingFolder: string): Promise<void> {
    if (this.#window?.isMinimized()) this.#window.restore();
    this.#window?.focus();
    for (const file of await filesIn(commandLine.slice(1), workingFolder)) await this.openFile(file);
  }

  async openFile(file: string): Promise<void> {
    try {
      this.#window?.webContents.send(CHANNELS.file, await this.#opened.offer(file));
      this.#settings.opened(file);
      app.addRecentDocument(file);
    } catch (error) {
      this.#settings.forget(file);
      dialog.showErrorBox(this.#settings.words.notOpened, messageOf(error));
    }
    this.#showMenus();
  }

  /** A service that dies takes its pictures with it; a new one is there at once, and the journal brings the table back. */
  #startService(): void {
    const started = startServiceProcess(this.#log);
    this.#process = started;
    this.#service = started.url.then((url) => ServiceClient.enter(url));
    void this.#service
      .then(() => started.ended)
      .then(async () => {
        if (this.#quitting || !this.#window) return;
        this.#startService();
        await this.#beginAnew(({ anew }) => anew.serviceEnded);
      })
      .catch((error: unknown) => {
        this.giveUp(error);
      });
  }

  giveUp(error: unknown): void {
    dialog.showErrorBox(this.#settings.words.notStarted, messageOf(error));
    app.exit(1);
  }

  async #beginAnew(why: (words: ShellWords) => string): Promise<void> {
    if (this.#quitting) return;
    const { words } = this.#settings;
    this.#log.error(why(SHELL_WORDS.en));
    dialog.showErrorBox(words.anew.title, `${why(words)} ${words.anew.comesBack}`);
    await this.#window?.loadURL(STUDIO.url);
  }

  async #answer(request: Request): Promise<Response> {
    const response = await (await this.#service).forward(request);
    return new URL(request.url).pathname.startsWith('/api/stream/') ? this.#runs.watch(response) : response;
  }

  async #drag(picture: PictureId, contents: WebContents): Promise<void> {
    try {
      await this.#dragOut.start(picture, contents, await this.#service);
    } catch (error) {
      this.#log.warn(`A picture could not be dragged out: ${messageOf(error)}`);
    }
  }

  async #copyDiagnostics(): Promise<void> {
    const asked = this.#service.then((service) => service.call('providers.list', {})) as Promise<readonly ProviderReport[]>;
    const providers = await asked.catch(() => []);
    const lines = this.#log.tail(LOG_LINES);
    await clipboard.writeText(diagnosticsOf({ version: app.getVersion(), versions: process.versions, providers, lines }));
  }

  #lookForUpdate(): Promise<void> {
    return lookForUpdate({
      isConfigured: hasUpdates(),
      isWanted: () => this.#settings.current.updates,
      load: async () => (await import('electron-updater')).default.autoUpdater,
      whenIdle: () => this.#runs.whenIdle(),
      ask: (version) => askForUpdate(version, this.#settings.words),
      log: this.#log,
    });
  }

  #showMenus(): void {
    const change = (updates: boolean): void => {
      this.#settings.change({ updates });
      void this.#lookForUpdate();
    };
    showMenus({
      command: (command) => this.#window?.webContents.send(CHANNELS.command, command),
      openRecent: (file) => void this.openFile(file),
      copyDiagnostics: () => void this.#copyDiagnostics(),
      updates: hasUpdates() ? { wanted: this.#settings.current.updates, change } : undefined,
      recent: this.#settings.current.recent,
      words: this.#settings.words,
      forDevelopers: !app.isPackaged,
    });
  }
}

/** Written by electron-builder where a place to look at was configured. */
function hasUpdates(): boolean {
  return app.isPackaged && existsSync(path.join(process.resourcesPath, 'app-update.yml'));
}

async function askForUpdate(version: string, { update }: ShellWords): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'question',
    message: update.message(version),
    detail: update.detail,
    buttons: [update.fetch, update.later],
    defaultId: 0,
    cancelId: 1,
  });
  return response === 0;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (app.requestSingleInstanceLock()) {
  claimScheme();
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
    .catch((error: unknown) => {
      shell.giveUp(error);
    });
} else app.quit();
