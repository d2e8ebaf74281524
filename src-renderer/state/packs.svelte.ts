import type { AddEvent, HubReport, KnownPackSummary, PackInfo, PackSummary, PackVerification, VerifyEvent } from '#contract/api.js';
import { endingOf, expectGoing } from '#contract/ending.js';
import { toErrorData, type ErrorData } from '#contract/errors.js';
import type { Precision } from '#contract/pack-card.js';
import { DEFAULT_PACK } from '#contract/request.js';
import type { PageLink } from '#link/http.js';
import type { Preferences } from './preferences.svelte.js';
import type { Studio } from './studio.svelte.js';

export interface PackWork {
  readonly kind: 'verify' | 'fetch' | 'import';
  readonly name: string;
  /** 0..1 */
  readonly share: number;
}

/** The packs of this machine and those that the hub has: looked at, checked, fetched, removed, and used with their licence. */
export class Packs {
  /** What is looked at: a pack that is installed, or what the hub says of one. */
  info = $state.raw<PackInfo>();
  hub = $state.raw<HubReport>();
  known = $state.raw<readonly KnownPackSummary[]>([]);
  verification = $state.raw<PackVerification>();
  work = $state.raw<PackWork>();
  /** The hub is being asked. */
  asking = $state(false);
  error = $state.raw<ErrorData>();
  /** Of the program and of its parts, once somebody wanted to read them. */
  licences = $state.raw('');

  readonly installed: readonly PackSummary[] = $derived.by(() => this.#studio.serviceInfo.packs);
  readonly used: string = $derived.by(() => this.#studio.settings.pack);
  /** The pack in use where its licence has not been accepted yet; what came with the program needs nobody's word. */
  readonly unaccepted: PackSummary | undefined = $derived.by(() =>
    this.installed.find((pack) => pack.name === this.used && !pack.builtIn && !this.#preferences.hasAccepted(pack)),
  );

  readonly #link: PageLink;
  readonly #studio: Studio;
  readonly #preferences: Preferences;
  #controller: AbortController | undefined;

  constructor({ link, studio, preferences }: { readonly link: PageLink; readonly studio: Studio; readonly preferences: Preferences }) {
    this.#link = link;
    this.#studio = studio;
    this.#preferences = preferences;
  }

  async open(): Promise<void> {
    await this.#attempt(async () => {
      await this.#reload();
      this.known = await this.#link.call('packs.known', {});
    });
    await this.look(this.used);
  }

  async readLicences(): Promise<void> {
    await this.#attempt(async () => (this.licences ||= await this.#link.licences()));
  }

  async look(name: string): Promise<void> {
    this.#leave();
    await this.#attempt(async () => (this.info = await this.#link.call('packs.info', { name })));
  }

  /** Asks another machine, and only because the user wants to. */
  async ask(name: string): Promise<void> {
    this.#leave();
    this.asking = true;
    await this.#attempt(async () => (this.hub = await this.#link.call('packs.askHub', { name })));
    this.asking = false;
  }

  use(name: string): void {
    this.#studio.change({ pack: name });
  }

  accept(): void {
    if (this.unaccepted) this.#preferences.accept(this.unaccepted);
  }

  /** Without its licence a pack is not used: back to one that came with the program. */
  decline(): void {
    if (this.unaccepted) this.use(DEFAULT_PACK);
  }

  async verify(name: string): Promise<void> {
    this.verification = undefined;
    await this.#follow(
      { kind: 'verify', name, share: 0 },
      (signal) => this.#link.stream('packs.verify', { name }, signal),
      (event) => {
        if (event.type === 'verified') this.verification = event.verification;
      },
    );
  }

  /** Fetches and imports what the hub was asked about; its licences have been read. */
  async add(precision: Precision): Promise<void> {
    const name = this.hub?.name;
    if (name === undefined) return;
    let added: PackSummary | undefined;
    await this.#follow(
      { kind: 'fetch', name, share: 0 },
      (signal) => this.#link.stream('packs.add', { name, precision, acceptLicence: true }, signal),
      (event) => {
        if (event.type === 'imported') added = event.pack;
      },
    );
    if (!added) return;
    this.#preferences.accept(added);
    await this.open();
    await this.look(added.name);
  }

  async remove(name: string): Promise<void> {
    await this.#attempt(async () => {
      await this.#link.call('packs.remove', { name });
      if (name === this.used) this.use(DEFAULT_PACK);
      await this.open();
    });
  }

  cancel(): void {
    this.#controller?.abort();
  }

  #leave(): void {
    this.info = undefined;
    this.hub = undefined;
    this.verification = undefined;
    this.error = undefined;
  }

  async #reload(): Promise<void> {
    await this.#studio.serviceInfo.load(this.used);
  }

  /** One piece of work at a time; what it fails with is said, being cancelled is not. */
  async #follow<E extends VerifyEvent | AddEvent>(
    work: PackWork,
    begin: (signal: AbortSignal) => AsyncGenerator<E, void>,
    take: (event: E) => void,
  ): Promise<void> {
    if (this.work) return;
    const controller = new AbortController();
    this.#controller = controller;
    this.work = work;
    this.error = undefined;
    try {
      for await (const event of begin(controller.signal)) {
        expectGoing(event);
        if (event.type === 'progress') this.work = { ...work, ...progressOf(event) };
        take(event);
      }
    } catch (error) {
      const ending = endingOf(error, controller.signal);
      if (ending.type === 'failed') this.error = ending.error;
    } finally {
      this.work = undefined;
      this.#controller = undefined;
    }
  }

  async #attempt(task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.error = toErrorData(error);
    }
  }
}

function progressOf(event: Extract<VerifyEvent | AddEvent, { type: 'progress' }>): Partial<PackWork> {
  const share = event.totalBytes === 0 ? 0 : event.doneBytes / event.totalBytes;
  return 'stage' in event ? { kind: event.stage, share } : { share };
}
