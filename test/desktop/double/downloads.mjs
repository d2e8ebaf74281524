// What a page saves: the application is told, and may say what the system's dialog shows. Whoever tests it chooses the file.
import { EventEmitter } from 'node:events';
import { strictInstance } from './strict.mjs';

export class DownloadItem extends EventEmitter {
  #name;
  #options = {};
  #path = '';

  constructor(name) {
    super();
    this.#name = name;
  }

  getFilename() {
    return this.#name;
  }

  setSaveDialogOptions(options) {
    this.#options = options;
  }

  setSavePath(file) {
    this.#path = file;
  }

  getSaveDialogOptions() {
    return this.#options;
  }

  getSavePath() {
    return this.#path;
  }

  /** Own working: the file is there, or will never be. */
  finish(state, file = '') {
    this.#path ||= file;
    this.emit('done', {}, state);
  }
}

/** Tells a session what Chromium saves for its pages. */
export class Downloads {
  #session;
  #going = new Map();

  constructor(session) {
    this.#session = session;
  }

  browserEvent(method, { guid, suggestedFilename, state, filePath }) {
    if (method === 'Browser.downloadWillBegin') {
      const item = new DownloadItem(suggestedFilename);
      this.#going.set(guid, item);
      this.#session.emit('will-download', {}, strictInstance('DownloadItem', item));
    }
    if (method !== 'Browser.downloadProgress' || state === 'inProgress') return;
    this.#going.get(guid)?.finish(state === 'completed' ? state : 'cancelled', filePath);
    this.#going.delete(guid);
  }
}
