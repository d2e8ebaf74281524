// A double of the parts of Electron that the shell uses; whatever else is touched throws. Windows are real pages of a
// real Chromium, and the preload script runs in an isolated world of them.
import { EventEmitter } from 'node:events';
import os from 'node:os';
import path from 'node:path';
import { Chromium } from './chromium.mjs';
import { PageWindow } from './page-window.mjs';
import { preventable, strict } from './strict.mjs';

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
  opening ??= chromium.open().then(() => {
    chromium.on(undefined, (method, params) => {
      for (const window of windows) window.browserEvent(method, params);
    });
  });
  return opening;
}

export async function start() {
  await openBrowser();
  if (ready) return;
  ready = true;
  app.emit('ready', {}, {});
  becomeReady();
}

function end(code = 0) {
  app.emit('quit', {}, code);
  chromium.close();
  process.stderr.write('Waiting for the debugger to disconnect...\n');
  process.exit(code);
}

process.on('exit', () => chromium.close());
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => end(0));

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
    isReady: () => ready,
    requestSingleInstanceLock: () => true,
    getPath: (name) => (name === 'userData' ? (userData() ?? path.join(os.tmpdir(), 'electron-double-user')) : os.tmpdir()),
    getName: () => 'scalebrush',
    getVersion: () => '0.0.0',
    getAppPath: () => process.cwd(),
    commandLine: { appendSwitch: () => undefined },
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
    super(chromium, options, (window) => {
      windows.delete(window);
      if (windows.size > 0 || quitting) return;
      if (app.listenerCount('window-all-closed') > 0) app.emit('window-all-closed');
      else void quit();
    });
    windows.add(this);
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
  showMessageBoxSync: unanswered('showMessageBoxSync'),
});

export const shell = strict('shell', { openExternal: () => Promise.resolve() });

export const session = strict('session', {
  defaultSession: strict('defaultSession', {
    setPermissionRequestHandler: (handler) => (permissionHandlers.request = handler),
    setPermissionCheckHandler: (handler) => (permissionHandlers.check = handler),
  }),
});

/** What the application said of permissions, for tests to ask. */
export const permissionHandlers = {};

export default { app, BrowserWindow, Menu, MenuItem, dialog, shell, session, permissionHandlers };
