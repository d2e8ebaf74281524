import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const ORIGIN = 'http://127.0.0.1:4321';

/** Stands for Electron where its binary is absent; knows only what the shell may use. */
const double = vi.hoisted(() => ({ fork: vi.fn(), electron: { app: {}, BrowserWindow: {}, dialog: {}, session: {}, shell: {} } }));
vi.mock('electron', () => double.electron);
vi.mock('node:child_process', () => ({ fork: double.fork }));

type Handler = (...args: unknown[]) => unknown;

class FakeWindow extends EventEmitter {
  readonly webContents = Object.assign(new EventEmitter(), { setWindowOpenHandler: vi.fn<(handler: Handler) => void>() });
  readonly show = vi.fn();
  readonly options: unknown;
  constructor(options: unknown) {
    super();
    this.options = options;
  }
  loadURL(url: string): Promise<void> {
    moments.emit('loaded', this, url);
    return Promise.resolve();
  }
}

const moments = new EventEmitter();
const openExternal = vi.fn(() => Promise.resolve());
const permissions = {
  setPermissionRequestHandler: vi.fn<(handler: Handler) => void>(),
  setPermissionCheckHandler: vi.fn<(handler: Handler) => void>(),
};

/** Evaluates the main module, then lets Electron become ready, as the real one does: never before the module has been evaluated. */
async function startShell(firstLine: object): Promise<{ app: EventEmitter; kill: Handler }> {
  vi.resetModules();
  let becomeReady: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => {
    becomeReady = resolve;
  });
  const exit = (): boolean => moments.emit('gave up');
  const app = Object.assign(new EventEmitter(), { isPackaged: true, quit: vi.fn(), exit, whenReady: () => ready });
  const child = Object.assign(new EventEmitter(), { stdout: new PassThrough(), kill: vi.fn() });
  child.stdout.write(`${JSON.stringify(firstLine)}\n`);
  double.fork.mockReset().mockReturnValue(child);
  const dialog = { showErrorBox: vi.fn((_title: string, text: string) => moments.emit('complained', text)) };
  Object.assign(double.electron, {
    app,
    dialog,
    BrowserWindow: FakeWindow,
    session: { defaultSession: permissions },
    shell: { openExternal },
  });
  await import('../../../src-main/electron/main.js');
  becomeReady?.();
  return { app, kill: child.kill };
}

describe('the desktop shell', () => {
  let window: FakeWindow;
  let url: string;
  let shell: Awaited<ReturnType<typeof startShell>>;

  beforeEach(async () => {
    const loaded = once(moments, 'loaded') as Promise<[FakeWindow, string]>;
    shell = await startShell({ url: `${ORIGIN}/?token=once`, port: 4321 });
    [window, url] = await loaded;
  });

  function isStopped(event: string, target: string): boolean {
    const preventDefault = vi.fn();
    window.webContents.emit(event, { url: target, preventDefault });
    return preventDefault.mock.calls.length > 0;
  }

  it('shows the address that the server announced', () => {
    expect(url).toBe(`${ORIGIN}/?token=once`);
  });

  it('runs the server as plain Node with a channel that ends when the shell does', () => {
    expect(double.fork).toHaveBeenCalledWith(
      expect.stringMatching(/server\.js$/u),
      expect.arrayContaining(['--json']),
      expect.objectContaining({
        env: expect.objectContaining({ ELECTRON_RUN_AS_NODE: '1' }) as unknown,
        stdio: expect.arrayContaining(['ipc']) as unknown,
      }),
    );
    shell.app.emit('will-quit');
    expect(shell.kill).toHaveBeenCalledOnce();
  });

  it('gives the page no powers', () => {
    expect(window.options).toMatchObject({ webPreferences: { contextIsolation: true, sandbox: true, nodeIntegration: false } });
    expect(window.options).not.toHaveProperty('webPreferences.preload');
  });

  it.each(['will-navigate', 'will-redirect'])('%s stays on the origin of the server', (event) => {
    expect(isStopped(event, `${ORIGIN}/elsewhere`)).toBe(false);
    expect(isStopped(event, 'http://127.0.0.1:4322/')).toBe(true);
    expect(isStopped(event, 'https://example.org/')).toBe(true);
    expect(isStopped(event, 'file:///etc/passwd')).toBe(true);
  });

  it('attaches no web view', () => {
    expect(isStopped('will-attach-webview', ORIGIN)).toBe(true);
  });

  it('opens no second window, and only https links in the browser', () => {
    const handler = window.webContents.setWindowOpenHandler.mock.lastCall?.[0];
    for (const target of ['https://example.org/', `${ORIGIN}/`, 'file:///etc/passwd', 'javascript:alert(1)']) {
      expect(handler?.({ url: target })).toEqual({ action: 'deny' });
    }
    expect(openExternal.mock.calls).toEqual([['https://example.org/']]);
  });

  it('refuses every permission', () => {
    const answer = vi.fn();
    permissions.setPermissionRequestHandler.mock.lastCall?.[0]({}, 'media', answer);
    expect(answer).toHaveBeenCalledExactlyOnceWith(false);
    expect(permissions.setPermissionCheckHandler.mock.lastCall?.[0]({}, 'media', ORIGIN)).toBe(false);
  });
});

describe('the desktop shell without a server', () => {
  it('says why and ends', async () => {
    const complained = once(moments, 'complained');
    const gaveUp = once(moments, 'gave up');
    await startShell({ error: { code: 'pack.missing', message: 'Expected a pack but received none.' } });
    expect(await complained).toEqual(['Expected a pack but received none.']);
    await gaveUp;
  });
});
