import type { Project, ProjectInput } from '#contract/project.js';
import type { Link } from '#link/http.js';

/** Not every dot of a stroke, but never later than this after a deed. */
const REST_MS = 250;

/** Keeps what is on the table where a crash cannot reach it. */
export class Journal {
  readonly #link: Link;
  readonly #owner: Promise<string> | string | undefined;
  #next: ProjectInput | null = null;
  #waits = false;
  /** Nothing was ever there, so there is nothing to remove. */
  #isEmpty = true;

  /** Without an owner, nothing is kept. A window's name may take a moment to be found. */
  constructor(link: Link, owner: Promise<string> | string | undefined) {
    this.#link = link;
    this.#owner = owner;
  }

  /** What is on the table from now on. A journal that cannot be written is no reason to stop working. */
  note(project: ProjectInput | undefined): void {
    if (this.#owner === undefined || (!project && this.#isEmpty)) return;
    this.#next = project ?? null;
    this.#isEmpty = !project;
    if (this.#waits) return;
    this.#waits = true;
    setTimeout(() => {
      this.#waits = false;
      void this.#write().catch(() => undefined);
    }, REST_MS);
  }

  async #write(): Promise<void> {
    const owner = await this.#owner;
    if (owner !== undefined) await this.#link.call('journal.write', { owner, project: this.#next });
  }

  /** What was on the table when this window, or the last one of a program that has ended, was there last. */
  async recover(): Promise<Project | undefined> {
    const owner = await this.#owner;
    if (owner === undefined) return undefined;
    const project = await this.#link.call('journal.recover', { owner }).catch(() => null);
    this.#isEmpty = !project;
    return project ?? undefined;
  }
}
