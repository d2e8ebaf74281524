import { DEFAULT_PREFERENCES, LAST_PACK, MOST_RECENT_PACKS, type Preferences as Liked } from '#contract/preferences.js';
import type { PageLink } from '#link/http.js';

/** What the user likes; a change counts at once and is kept behind it. */
export class Preferences {
  current = $state.raw<Liked>(DEFAULT_PREFERENCES);
  /** What was kept is here, or is not to be had. */
  loaded = $state(false);
  /** The last change could not be kept. */
  unkept = $state(false);

  readonly #link: PageLink;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** Never throws: without an answer everything is as in the beginning. */
  async load(): Promise<void> {
    this.current = await this.#link.call('preferences.read', {}).catch(() => DEFAULT_PREFERENCES);
    this.loaded = true;
  }

  change(change: Partial<Omit<Liked, 'version'>>): void {
    const next = { ...this.current, ...change };
    this.current = next;
    // One after the other: the last change is the one that stays.
    this.#writing = this.#writing
      .then(() => this.#link.call('preferences.write', next))
      .then(
        () => (this.unkept = false),
        () => (this.unkept = true),
      );
  }

  /** Until what was changed is kept, or could not be. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  hasAccepted(pack: { readonly name: string; readonly licence: string }): boolean {
    return this.current.licences.includes(licenceKey(pack));
  }

  /** The pack that a window begins with, where it is installed. */
  get firstPack(): string | undefined {
    const { pack, recentPacks } = this.current;
    return pack === LAST_PACK ? recentPacks[0] : pack;
  }

  /** A picture is made with it. */
  usePack(name: string): void {
    const { recentPacks } = this.current;
    if (recentPacks[0] === name) return;
    this.change({ recentPacks: [name, ...recentPacks.filter((other) => other !== name)].slice(0, MOST_RECENT_PACKS) });
  }

  accept(pack: { readonly name: string; readonly licence: string }): void {
    if (!this.hasAccepted(pack)) this.change({ licences: [...this.current.licences, licenceKey(pack)] });
  }
}

/** The licence is a part: another one has to be accepted anew. */
function licenceKey({ name, licence }: { readonly name: string; readonly licence: string }): string {
  return `${name}: ${licence}`.slice(0, 512);
}
