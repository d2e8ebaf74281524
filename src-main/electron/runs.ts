import { Notification, type BrowserWindow } from 'electron';
import type { SettingsFile } from './settings.js';
import { watched, type Outside } from './run-watch.js';

/** The long work of the page as the system shows it: on the taskbar while it goes on, as a notification when it ends unseen. */
export class Runs {
  readonly #windowOf: () => BrowserWindow | undefined;
  readonly #settings: Pick<SettingsFile, 'words'>;
  #running = 0;
  #waiting: (() => void)[] = [];

  constructor(windowOf: () => BrowserWindow | undefined, settings: Pick<SettingsFile, 'words'>) {
    this.#windowOf = windowOf;
    this.#settings = settings;
  }

  /** The same answer, watched on its way. */
  watch(response: Response): Response {
    if (!response.ok || !response.body) return response;
    this.#running += 1;
    return new Response(watched(response.body, this.#outside), response);
  }

  /** Resolves while nothing runs. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running === 0) resolve();
      else this.#waiting.push(resolve);
    });
  }

  readonly #outside: Outside = {
    progress: (share) => this.#windowOf()?.setProgressBar(share ?? -1),
    ended: (how) => {
      this.#running -= 1;
      if (this.#running === 0) for (const go of this.#waiting.splice(0)) go();
      if (how) this.#notify(how);
    },
  };

  #notify(how: 'done' | 'failed'): void {
    const window = this.#windowOf();
    if (!window || window.isFocused() || !Notification.isSupported()) return;
    const note = new Notification({ title: 'Scalebrush', body: this.#settings.words.ended[how] });
    note.on('click', () => {
      window.focus();
    });
    note.show();
  }
}
