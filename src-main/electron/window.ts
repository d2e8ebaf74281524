import path from 'node:path';
import { BrowserWindow, dialog, nativeTheme, session, shell, type WebContents } from 'electron';
import { STUDIO } from '#contract/desktop.js';
import type { SettingsFile } from './settings.js';

const SIZE = { width: 1440, height: 900 };
const LEAST = { minWidth: 900, minHeight: 600 };

/** What shows before the page does: its surround, light or dark as the system is. */
const SURROUND = { dark: '#404040', light: '#b4b4b4' };

/** The one window: sandboxed, with a preload script that lends it five functions and nothing else. */
export function createWindow(settings: SettingsFile): BrowserWindow {
  const { bounds, maximized } = settings.current;
  const window = new BrowserWindow({
    ...SIZE,
    ...bounds,
    ...LEAST,
    backgroundColor: nativeTheme.shouldUseDarkColors ? SURROUND.dark : SURROUND.light,
    show: false,
    webPreferences: {
      preload: path.join(import.meta.dirname, '../preload/preload.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    },
  });
  if (maximized) window.maximize();
  window.once('ready-to-show', () => {
    window.show();
  });
  window.on('close', () => {
    settings.change({ bounds: window.getNormalBounds(), maximized: window.isMaximized() });
  });
  askBeforeLeaving(window, settings);
  return window;
}

/** The page objects to being closed while a run goes on; here the user decides. */
function askBeforeLeaving(window: BrowserWindow, settings: SettingsFile): void {
  window.webContents.on('will-prevent-unload', (event) => {
    const { message, detail, stay, leave } = settings.words.leaving;
    const buttons = [stay, leave];
    const answer = dialog.showMessageBoxSync(window, { type: 'question', message, detail, buttons, defaultId: 0, cancelId: 0 });
    if (answer === 1) event.preventDefault();
  });
}

/** Keeps a page in the studio; a link to elsewhere opens in the user's browser. */
export function fence(contents: WebContents): void {
  const stay = (event: { preventDefault(): void; readonly url: string }): void => {
    if (!event.url.startsWith(STUDIO.url)) event.preventDefault();
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

/** What the user copies goes to the clipboard, which the page may never read; a folder is written to that the user chose for it. */
const GRANTED: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'fileSystem']);

/** All but these, and these to the studio alone. */
export function refusePermissions(): void {
  const isGranted = (permission: string, address: string): boolean => GRANTED.has(permission) && `${address}/`.startsWith(STUDIO.url);
  session.defaultSession.setPermissionRequestHandler((contents, permission, answer) => {
    answer(isGranted(permission, contents.getURL()));
  });
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => isGranted(permission, origin));
}
