import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadable, shown } from './scheme.mjs';
import { preventable, strict } from './strict.mjs';

const WORLD = 'Electron Isolated Context';
/** A shell that asks for these has given the page powers. */
const REFUSED = { contextIsolation: false, sandbox: false, nodeIntegration: true, webSecurity: false };
const POPUP_MS = 200;
/** What Electron asks the application about, by the names that Chromium has for it. */
const PERMISSIONS = { 'clipboard-sanitized-write': 'clipboard-write', 'clipboard-read': 'clipboard-read', geolocation: 'geolocation' };
let count = 0;

/** A window: one page of Chromium, its preload script, and the guards that the application put around it. */
export class PageWindow extends EventEmitter {
  #chromium;
  #ipcMain;
  #isAllowed;
  #options;
  #gone;
  #started;
  #target;
  #session;
  #frame;
  #context;
  #url = '';
  #navigates = false;
  #loaded = () => undefined;
  #shown;
  #readyToShow = false;
  #destroyed = false;
  #windowOpen = () => ({ action: 'allow' });
  #denied = 0;
  #closing;

  constructor({ chromium, ipcMain, isAllowed }, options, gone) {
    super();
    const { webPreferences = {} } = options;
    for (const [name, bad] of Object.entries(REFUSED)) {
      if (webPreferences[name] === bad) throw new Error(`The double refuses webPreferences.${name} = ${bad}.`);
    }
    count += 1;
    this.id = count;
    this.#chromium = chromium;
    this.#ipcMain = ipcMain;
    this.#isAllowed = isAllowed;
    this.#options = { width: 800, height: 600, ...options };
    this.#gone = gone;
    this.#shown = options.show !== false;
    this.webContents = strict(
      'webContents',
      Object.assign(new EventEmitter(), {
        send: (channel, ...values) => this.#deliver({ channel, values }),
        setWindowOpenHandler: (handler) => (this.#windowOpen = handler),
        getURL: () => this.#url,
        startDrag: () => undefined,
      }),
    );
    this.#started = this.#start(webPreferences.preload);
    this.#started.catch((error) => {
      process.stderr.write(`double: ${error.stack}\n`);
      process.exit(1);
    });
  }

  async loadURL(url) {
    await this.#started;
    this.#navigates = true;
    const loaded = new Promise((resolve) => (this.#loaded = resolve));
    const { errorText } = await this.#send('Page.navigate', { url: loadable(url) });
    if (errorText) throw new Error(`${errorText} loading '${url}'`);
    await loaded;
  }

  show() {
    this.#shown = true;
    this.emit('show');
  }

  isVisible() {
    return this.#shown;
  }

  isDestroyed() {
    return this.#destroyed;
  }

  isFocused() {
    return true;
  }

  setProgressBar(share) {
    if (typeof share !== 'number') throw new TypeError('setProgressBar takes a number');
  }

  isMinimized() {
    return false;
  }

  isMaximized() {
    return false;
  }

  restore() {
    this.emit('restore');
  }

  maximize() {
    this.emit('maximize');
  }

  focus() {
    this.emit('focus');
  }

  getNormalBounds() {
    const { x = 0, y = 0, width, height } = this.#options;
    return { x, y, width, height };
  }

  close() {
    void this.closeAsked();
  }

  /** Asks the application, then the page; true where the window is gone. */
  async closeAsked() {
    const event = preventable();
    this.emit('close', event);
    if (event.defaultPrevented) return false;
    await this.#started;
    const answered = new Promise((resolve) => (this.#closing = resolve));
    await this.#send('Page.close').catch(() => undefined);
    return answered;
  }

  browserEvent(method, { targetInfo, targetId } = {}) {
    if (method === 'Target.targetDestroyed' && targetId === this.#target) this.#end();
    const popup = method === 'Target.targetCreated' && targetInfo.type === 'page' && targetInfo.openerId === this.#target;
    if (!popup || this.#denied === 0) return;
    this.#denied -= 1;
    // Whoever tests the application attaches to it first: a popup that is closed meanwhile would hold its opener for ever.
    setTimeout(() => void this.#chromium.send('Target.closeTarget', { targetId: targetInfo.targetId }), POPUP_MS);
  }

  #send(method, params) {
    return this.#chromium.send(method, params, this.#session);
  }

  async #start(preload) {
    const { width, height } = this.#options;
    ({ targetId: this.#target } = await this.#chromium.send('Target.createTarget', { url: 'about:blank', width, height }));
    ({ sessionId: this.#session } = await this.#chromium.send('Target.attachToTarget', { targetId: this.#target, flatten: true }));
    this.#chromium.on(this.#session, (method, params) => void this.#pageEvent(method, params));
    this.#frame = (await this.#send('Page.getFrameTree')).frameTree.frame.id;
    await this.#send('Page.enable');
    await this.#send('Runtime.enable');
    await this.#send('Runtime.addBinding', { name: '__toMain', executionContextName: WORLD });
    const secret = randomUUID();
    const script = (name) => readFileSync(new URL(name, import.meta.url), 'utf8').replaceAll('SECRET', secret);
    await this.#send('Page.addScriptToEvaluateOnNewDocument', { source: script('page-world.js') });
    if (preload) {
      const source = script('preload-world.js').replace('PRELOAD', () => readFileSync(preload, 'utf8'));
      await this.#send('Page.addScriptToEvaluateOnNewDocument', { worldName: WORLD, source });
    }
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    await this.#send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
  }

  async #pageEvent(method, params) {
    const events = {
      'Runtime.executionContextCreated': ({ context }) => {
        if (context.name === WORLD && context.auxData?.frameId === this.#frame) this.#context = context.uniqueId;
      },
      'Page.frameNavigated': ({ frame }) => {
        if (frame.parentId !== undefined) return;
        this.#url = shown(frame.url);
        if (this.#url !== frame.url) void this.#allow(new URL(frame.url).origin);
      },
      'Page.loadEventFired': () => {
        this.webContents.emit('did-finish-load');
        if (!this.#readyToShow) this.emit('ready-to-show');
        this.#readyToShow = true;
        this.#loaded();
      },
      'Page.javascriptDialogOpening': ({ type }) => this.#dialog(type),
      'Page.windowOpen': ({ url }) => {
        if (this.#windowOpen({ url, frameName: '', disposition: 'foreground-tab' }).action === 'deny') this.#denied += 1;
      },
      'Runtime.bindingCalled': ({ name, payload }) => {
        if (name === '__toMain') this.#hear(JSON.parse(payload));
      },
      'Fetch.requestPaused': (paused) => this.#request(paused).catch(() => undefined),
    };
    await events[method]?.(params);
  }

  /** Chromium is told beforehand what the application would say. */
  async #allow(origin) {
    for (const [permission, name] of Object.entries(PERMISSIONS)) {
      const setting = (await this.#isAllowed(this.webContents, permission)) ? 'granted' : 'denied';
      await this.#chromium.send('Browser.setPermission', { permission: { name }, setting, origin });
    }
  }

  /** A page that objects to being closed is asked about in `will-prevent-unload`. */
  async #dialog(type) {
    const event = preventable();
    if (type === 'beforeunload') this.webContents.emit('will-prevent-unload', event);
    await this.#send('Page.handleJavaScriptDialog', { accept: event.defaultPrevented });
    if (!event.defaultPrevented) this.#closing?.(false);
  }

  /** Navigation asks the application first; nothing but this machine can be reached. */
  async #request({ requestId, request: { url }, resourceType, frameId }) {
    const navigation = resourceType === 'Document' && frameId === this.#frame;
    if (navigation && !this.#navigates) {
      const event = preventable({ url: shown(url) });
      this.webContents.emit('will-navigate', event, shown(url));
      if (event.defaultPrevented) return this.#send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
    }
    if (navigation) this.#navigates = false;
    // What the page itself holds, to be saved, comes from nowhere else.
    if (shown(url) !== url || url.startsWith('blob:')) return this.#send('Fetch.continueRequest', { requestId });
    return this.#send('Fetch.failRequest', { requestId, errorReason: 'InternetDisconnected' });
  }

  #hear({ channel, values }) {
    const senderFrame = { url: this.#url, parent: null };
    this.#ipcMain.emit(channel, { sender: this.webContents, senderFrame }, ...values);
  }

  async #deliver(message) {
    if (this.#destroyed) throw new Error('Object has been destroyed');
    await this.#send('Runtime.evaluate', { expression: `__deliver(${JSON.stringify(message)})`, uniqueContextId: this.#context });
  }

  #end() {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#closing?.(true);
    this.webContents.emit('destroyed');
    this.emit('closed');
    this.#gone(this);
  }
}
