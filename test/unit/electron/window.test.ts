import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { SettingsFile } from '../../../src-main/electron/settings.js';
import { SHELL_WORDS } from '../../../src-main/electron/words.js';

const STUDIO = 'app://studio/';
type Handler = (...args: unknown[]) => unknown;

/** Stands for Electron; knows only what the window may use. */
const double = vi.hoisted(() => ({
  nativeTheme: { shouldUseDarkColors: true },
  openExternal: vi.fn(() => Promise.resolve()),
  showMessageBoxSync: vi.fn(() => 0),
  request: undefined as Handler | undefined,
  check: undefined as Handler | undefined,
}));

class FakeWindow extends EventEmitter {
  readonly webContents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn<(handler: Handler) => void>() });
  readonly maximize = vi.fn();
  readonly options: Record<string, unknown>;
  constructor(options: Record<string, unknown>) {
    super();
    this.options = options;
  }
  getNormalBounds() {
    return { x: 1, y: 2, width: 1000, height: 700 };
  }
  isMaximized() {
    return true;
  }
}

vi.mock('electron', () => ({
  BrowserWindow: FakeWindow,
  dialog: { showMessageBoxSync: double.showMessageBoxSync },
  nativeTheme: double.nativeTheme,
  shell: { openExternal: double.openExternal },
  session: {
    defaultSession: {
      setPermissionRequestHandler: (handler: Handler) => (double.request = handler),
      setPermissionCheckHandler: (handler: Handler) => (double.check = handler),
    },
  },
}));

const { createWindow, fence, refusePermissions } = await import('../../../src-main/electron/window.js');

function settingsOf(current: Partial<SettingsFile['current']> = {}) {
  const change = vi.fn();
  const words = SHELL_WORDS.de;
  return {
    change,
    settings: { current: { version: 1, maximized: false, recent: [], ...current }, words, change } as unknown as SettingsFile,
  };
}

function open(current: Partial<SettingsFile['current']> = {}) {
  const { settings, change } = settingsOf(current);
  return { window: createWindow(settings) as unknown as FakeWindow, change };
}

describe('the window', () => {
  it('gives the page no powers, and weakens nothing else', () => {
    const preload = expect.stringMatching(/preload\.cjs$/u) as string;
    const preferences = { preload, contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true };
    expect(open().window.options['webPreferences']).toEqual(preferences);
  });

  it.each([
    [true, '#404040'],
    [false, '#b4b4b4'],
  ])('shows the surround of the system’s colours first: dark %s', (dark, colour) => {
    double.nativeTheme.shouldUseDarkColors = dark;
    expect(open().window.options).toMatchObject({ backgroundColor: colour });
  });

  it('opens where it was closed, and remembers where it is closed', () => {
    const bounds = { x: 5, y: 6, width: 1200, height: 800 };
    const { window, change } = open({ bounds, maximized: true });
    expect(window.options).toMatchObject(bounds);
    expect(window.maximize).toHaveBeenCalledOnce();
    window.emit('close');
    expect(change).toHaveBeenCalledWith({ bounds: { x: 1, y: 2, width: 1000, height: 700 }, maximized: true });
  });

  it.each([
    [0, false],
    [1, true],
  ])('asks before a run is lost: answer %d leaves %s', (answer, leaves) => {
    double.showMessageBoxSync.mockReturnValueOnce(answer);
    const preventDefault = vi.fn();
    open().window.webContents.emit('will-prevent-unload', { preventDefault });
    expect(preventDefault).toHaveBeenCalledTimes(leaves ? 1 : 0);
    const said = { message: 'Eine Bearbeitung läuft noch.', buttons: ['Weiterlaufen lassen', 'Beenden'] };
    expect(double.showMessageBoxSync).toHaveBeenLastCalledWith(expect.anything(), expect.objectContaining(said));
  });
});

describe('the fence', () => {
  let window: FakeWindow;

  beforeEach(() => {
    double.openExternal.mockClear();
    ({ window } = open());
    fence(window.webContents as never);
  });

  function isStopped(event: string, target: string): boolean {
    const preventDefault = vi.fn();
    window.webContents.emit(event, { url: target, preventDefault });
    return preventDefault.mock.calls.length > 0;
  }

  it.each(['will-navigate', 'will-redirect'])('%s stays in the studio', (event) => {
    expect(isStopped(event, STUDIO)).toBe(false);
    expect(isStopped(event, 'app://studio.example.org/')).toBe(true);
    expect(isStopped(event, 'http://127.0.0.1:4322/')).toBe(true);
    expect(isStopped(event, 'https://example.org/')).toBe(true);
    expect(isStopped(event, 'file:///etc/passwd')).toBe(true);
  });

  it('attaches no web view', () => {
    expect(isStopped('will-attach-webview', STUDIO)).toBe(true);
  });

  it('opens no second window, and only https links in the browser', () => {
    const handler = window.webContents.setWindowOpenHandler.mock.lastCall?.[0];
    for (const target of ['https://example.org/', 'http://127.0.0.1/', STUDIO, 'file:///etc/passwd', 'javascript:alert(1)']) {
      expect(handler?.({ url: target })).toEqual({ action: 'deny' });
    }
    expect(double.openExternal.mock.calls).toEqual([['https://example.org/']]);
  });
});

it.each([
  ['media', STUDIO, false],
  ['clipboard-read', STUDIO, false],
  ['clipboard-sanitized-write', 'https://example.org/', false],
  ['clipboard-sanitized-write', 'app://studio.example.org/', false],
  ['clipboard-sanitized-write', STUDIO, true],
  ['fileSystem', STUDIO, true],
  ['fileSystem', 'https://example.org/', false],
  ['clipboard-sanitized-write', 'app://studio', true],
])('every permission is refused but that to copy: %s of %s', (permission, address, granted) => {
  refusePermissions();
  const answer = vi.fn();
  double.request?.({ getURL: () => address }, permission, answer);
  expect(answer).toHaveBeenCalledExactlyOnceWith(granted);
  expect(double.check?.({}, permission, address)).toBe(granted);
});
