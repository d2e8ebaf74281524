import { toErrorData } from '#contract/errors.js';
import type { Project, ProjectInput } from '#contract/project.js';
import type { PageLink } from '#link/http.js';

/** Not every dot of a stroke, but never later than this after a change. */
const REST_MS = 250;

/** Keeps what is on the table where a crash cannot reach it. */
export class Journal {
  /** Whatever comes now, nothing that was on the table is lost. */
  isWritten = $state(true);
  readonly #link: PageLink;
  readonly #owner: Promise<string> | string | undefined;
  #next: ProjectInput | null = null;
  #waits = false;
  /** Rises with every change that is to be written. */
  #noted = 0;
  #writing: Promise<void> | undefined;
  /** What it came to the last time: the same is not said twice. */
  #failed: string | undefined;
  /** Nothing was ever there, so there is nothing to remove. */
  #isEmpty = true;

  readonly #onfault: (error: unknown) => void;

  /** Without an owner, nothing is kept. A window's name may take a moment to be found. */
  constructor(link: PageLink, owner: Promise<string> | string | undefined, onfault: (error: unknown) => void = () => undefined) {
    this.#link = link;
    this.#owner = owner;
    this.#onfault = onfault;
  }

  /** Until then, the service needs every picture that was on the table; undefined where nothing is being written. */
  get writing(): Promise<void> | undefined {
    return this.#writing;
  }

  /** What is on the table from now on. A journal that cannot be written is said, and is no reason to stop working. */
  note(project: ProjectInput | undefined): void {
    if (this.#owner === undefined || (!project && this.#isEmpty)) return;
    this.#next = project ?? null;
    this.#isEmpty = !project;
    this.#noted += 1;
    this.isWritten = false;
    if (this.#waits) return;
    this.#waits = true;
    setTimeout(() => void this.#begin(), REST_MS);
  }

  async #begin(): Promise<void> {
    // Of two that are under way at once, the older may arrive last.
    await this.#writing;
    this.#waits = false;
    this.#writing = this.#write().finally(() => (this.#writing = undefined));
  }

  async #write(): Promise<void> {
    const noted = this.#noted;
    try {
      const owner = await this.#owner;
      if (owner !== undefined) await this.#link.call('journal.write', { owner, project: this.#next });
      this.#failed = undefined;
      this.isWritten = noted === this.#noted;
    } catch (error) {
      const { code } = toErrorData(error);
      if (code !== this.#failed) this.#onfault(error);
      this.#failed = code;
    }
  }

  /** What was on the table when this window, or the last one of a program that has ended, was there last. */
  async recover(): Promise<Project | undefined> {
    const owner = await this.#owner;
    if (owner === undefined) return undefined;
    const project = await this.#link.call('journal.recover', { owner }).catch((error: unknown) => {
      this.#onfault(error);
      return null;
    });
    this.#isEmpty = !project;
    return project ?? undefined;
  }
}
