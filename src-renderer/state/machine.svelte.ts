import type { MachineReport } from '#contract/api.js';
import type { PageLink } from '#link/http.js';

/** What this machine has to compute with, as it was when somebody last looked. */
export class Machine {
  report = $state.raw<MachineReport>();
  readonly #link: PageLink;

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** Without an answer its place stays empty. */
  async look(): Promise<void> {
    this.report = await this.#link.call('machine.describe', {}).catch(() => undefined);
  }
}
