// A double of the parts of Electron that the shell uses; whatever else is touched throws. Windows are real pages of a
// real Chromium, and the preload script runs in an isolated world of them.
import { EventEmitter } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { Chromium } from './chromium.mjs';
import { Downloads } from './downloads.mjs';
import { PageWindow } from './page-window.mjs';
import { openSchemes, protocol } from './scheme.mjs';
import { preventable, strict, strictInstance } from './strict.mjs';
import { endUtilities, MessageChannelMain, utilityMetrics, utilityProcess } from './utility.mjs';

const chromium = new Chromium();
const windows = new Set();
let flags = [];
let opening;
let ready = false;
let quitting = false;
let becomeReady;
const whenReady = new Promise((resolve) => (becomeReady = resolve));

export function configure(given) {
  flags = given;
}

export function openBrowser() {
  opening ??= openSchemes().then(async () => {
    await chromium.open();
    chromium.on(undefined, (method, params) => {
      for (const window of windows) window.browserEvent(method, params);
      downloads.browserEvent(method, params);
    });
  });
  return opening;
}

export async function start() {
  process.on('exit', () => {
    chromium.close();
    endUtilities();
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0));
  await openBrowser();
  if (ready) return;
  ready = true;
  app.emit('ready', {}, {});
  becomeReady();
}

function end(code = 0) {
  app.emit('quit', {}, code);
  chromium.close();
  endUtilities();
  process.stderr.write('Waiting for the debugger to disconnect...\n');
  process.exit(code);
}

async function quit() {
  const before = preventable();
  app.emit('before-quit', before);
  if (before.defaultPrevented) return;
  quitting = true;
  for (const window of windows) {
    if (await window.closeAsked()) continue;
    quitting = false;
    return;
  }
  const last = preventable();
  app.emit('will-quit', last);
  if (!last.defaultPrevented) setTimeout(end, 20);
}

const userData = () => flags.find((flag) => flag.startsWith('--user-data-dir='))?.slice('--user-data-dir='.length);

export const app = strict(
  'app',
  Object.assign(new EventEmitter(), {
    isPackaged: false,
    whenReady: () => whenReady,
    requestSingleInstanceLock: () => true,
    getPath: (name) => (name === 'userData' ? (userData() ?? path.join(os.tmpdir(), 'electron-double-user')) : os.tmpdir()),
    getVersion: () => '0.0.0',
    getAppMetrics: () => utilityMetrics(),
    addRecentDocument: () => undefined,
    getFileIcon: () => Promise.resolve({}),
    quit: () => void quit(),
    exit: end,
  }),
);

export class BrowserWindow extends PageWindow {
  static getAllWindows() {
    return [...windows];
  }

  static getFocusedWindow() {
    return [...windows].at(-1) ?? null;
  }

  static fromId(id) {
    return [...windows].find((window) => window.id === id) ?? null;
  }

  static fromWebContents(contents) {
    return [...windows].find(({ webContents }) => webContents === contents) ?? null;
  }

  constructor(options = {}) {
    if (!ready) throw new Error('Cannot create BrowserWindow before app is ready');
    super({ chromium, ipcMain, isAllowed }, options, () => {
      windows.delete(strictly);
      if (windows.size > 0 || quitting) return;
      if (app.listenerCount('window-all-closed') > 0) app.emit('window-all-closed');
      else void quit();
    });
    const strictly = strictInstance('BrowserWindow', this);
    windows.add(strictly);
    return strictly;
  }
}

class MenuItem {
  constructor(options) {
    Object.assign(this, { enabled: true, visible: true }, options);
    if (Array.isArray(options.submenu)) this.submenu = Menu.buildFromTemplate(options.submenu);
    this.click = () => options.click?.(this, BrowserWindow.getFocusedWindow(), {});
  }
}

export class Menu {
  static #current = null;
  items = [];

  static buildFromTemplate(template) {
    const menu = new Menu();
    menu.items = template.map((options) => new MenuItem(options));
    return menu;
  }

  static setApplicationMenu(menu) {
    Menu.#current = menu;
  }

  static getApplicationMenu() {
    return Menu.#current;
  }

  getMenuItemById(id) {
    for (const item of this.items) {
      const found = item.id === id ? item : item.submenu?.getMenuItemById(id);
      if (found) return found;
    }
    return null;
  }
}

/** Tests give the answers; a dialog that nobody expected is an error. */
function unanswered(name) {
  return () => {
    throw new Error(`dialog.${name} was opened and the test gave no answer`);
  };
}

export const dialog = strict('dialog', {
  showErrorBox: unanswered('showErrorBox'),
  showMessageBox: unanswered('showMessageBox'),
  showMessageBoxSync: unanswered('showMessageBoxSync'),
});

export const shell = strict('shell', { openExternal: () => Promise.resolve(), showItemInFolder: () => undefined });

export const session = strict('session', {
  defaultSession: strict(
    'defaultSession',
    Object.assign(new EventEmitter(), {
      setPermissionRequestHandler: (handler) => (permissionHandlers.request = handler),
      setPermissionCheckHandler: (handler) => (permissionHandlers.check = handler),
    }),
  ),
});

const downloads = new Downloads(session.defaultSession);

/** What the application said of permissions, for tests to ask. */
export const permissionHandlers = {};

/** Electron grants what nobody was asked about. */
function isAllowed(contents, permission) {
  const { check = () => true, request = (_contents, _permission, answer) => answer(true) } = permissionHandlers;
  const requestingUrl = contents.getURL();
  if (!check(contents, permission, requestingUrl, { isMainFrame: true, requestingUrl })) return false;
  return new Promise((resolve) => request(contents, permission, resolve, { isMainFrame: true, requestingUrl }));
}

export const ipcMain = strict('ipcMain', new EventEmitter());

let copied = '';
export const clipboard = strict('clipboard', {
  writeText: (text) => Promise.resolve((copied = text)),
  readText: () => Promise.resolve(copied),
});

export const nativeTheme = strict('nativeTheme', { shouldUseDarkColors: true });

export class Notification extends EventEmitter {
  static isSupported() {
    return true;
  }

  show() {
    this.emit('show', {});
  }
}

export { MessageChannelMain, MenuItem, protocol, utilityProcess };

const parts = { app, BrowserWindow, Menu, MenuItem, MessageChannelMain, Notification, clipboard, dialog, ipcMain };
export default strict('electron', { ...parts, nativeTheme, permissionHandlers, protocol, session, shell, utilityProcess });
