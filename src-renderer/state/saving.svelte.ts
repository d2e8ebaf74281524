import type { Desktop } from '#contract/desktop.js';
import type { Exporter } from './exporter.js';
import type { SavedFile } from './pictures.js';

/** What became of the last saving: the name is the file's. */
export interface Saved {
  readonly name: string;
  readonly state: 'working' | 'saved';
}

/** Where saving is. */
export class Saving {
  last = $state.raw<Saved>();
  readonly #exporter: Exporter;
  readonly #asks: boolean;

  /** The desktop asks where the file goes, and says when it is there. */
  constructor(exporter: Exporter, desktop: Desktop | undefined) {
    this.#exporter = exporter;
    this.#asks = desktop !== undefined;
    desktop?.onSaved((name) => {
      this.#end(name);
    });
  }

  /** Hands a file out as soon as it is made; what fails has been said. */
  async save(name: string, make: () => Promise<SavedFile | undefined>, hand: (file: Blob, name: string) => void): Promise<void> {
    this.last = { name, state: 'working' };
    const id = this.#exporter.info?.id;
    const file = await make();
    if (!file) {
      this.last = undefined;
      return;
    }
    this.#pending = id;
    hand(file.file, name);
    if (!this.#asks) this.#end(name);
  }

  #pending: string | undefined;

  #end(name: string | undefined): void {
    if (name !== undefined && this.#pending !== undefined) this.#exporter.filed.add(this.#pending);
    this.last = name === undefined ? undefined : { name, state: 'saved' };
  }

  forget(): void {
    this.last = undefined;
  }
}
