import type { Project, ProjectInput } from '#contract/project.js';
import type { RecentDocument } from '#contract/recent.js';
import { thumbnailOf } from '#canvas/thumbnail.js';
import type { PageLink } from '#link/http.js';
import type { ShownPicture } from './pictures.js';
import type { Sheet } from './sheets.js';

/** What lies on the table when a document is closed. */
export interface Closing {
  readonly project: ProjectInput;
  readonly sheets: readonly Sheet[];
  readonly shown: ShownPicture;
}

/** Documents that were closed, the last one first: nothing that was on the table is ever thrown away. */
export class Recent {
  documents = $state.raw<readonly RecentDocument[]>([]);
  /** What lay here before the open document, in this session. */
  readonly last: RecentDocument | undefined = $derived.by(() => this.documents.find(({ id }) => id === this.#before.at(-1)));

  /** The open document's own place in the list; undefined for one that was never closed. */
  #open = $state<string>();
  #before = $state.raw<readonly string[]>([]);
  readonly #link: PageLink;

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** Those that are not open. */
  get others(): readonly RecentDocument[] {
    return this.documents.filter(({ id }) => id !== this.#open);
  }

  /** A list that cannot be had is an empty one. */
  async load(): Promise<void> {
    this.documents = await this.#link.call('recent.list', {}).catch(() => []);
  }

  /** Gives its place in the list. Throws where it cannot be kept: then it is not to be closed. */
  async keep({ project, sheets, shown }: Closing): Promise<string> {
    const { width, height } = shown.info.size;
    const id = this.#open;
    const waiting = project.waiting?.length;
    const said = { name: (sheets[0]?.picture ?? shown).info.name.slice(-255), steps: sheets.length - 1, width, height };
    const kept = await this.#link.call('recent.keep', {
      ...said,
      ...(waiting !== undefined && { waiting }),
      thumbnail: thumbnailOf(shown.pixels.small),
      project,
      ...(id !== undefined && { id }),
    });
    this.#open = undefined;
    this.#before = [...this.#before.filter((other) => other !== kept.id), kept.id];
    await this.load();
    return kept.id;
  }

  open(id: string): Promise<Project> {
    return this.#link.call('recent.open', { id });
  }

  /** It lies on the table now. */
  opened(id: string): void {
    this.#open = id;
    this.#before = this.#before.filter((other) => other !== id);
  }

  async remove(id: string): Promise<void> {
    await this.#link.call('recent.remove', { id });
    await this.load();
  }
}
