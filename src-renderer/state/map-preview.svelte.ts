import type { EditRequestInput } from '#contract/request.js';
import type { PageLink } from '#link/http.js';
import { unchanged, type Completion } from './service-info.svelte.js';
import { Latest } from './latest.js';

/** A slider that is being dragged should be followed, not waited for. */
const REST_MS = 30;

/** The control map as the model sees it, renewed while its settings change. */
export class MapPreview {
  /** An object URL; undefined where there is no control, or where its map cannot be had. */
  url = $state<string>();
  readonly #link: PageLink;
  readonly #latest = new Latest(REST_MS);
  #asked = '';

  constructor(link: PageLink) {
    this.#link = link;
  }

  /** Asks again where the map would be another one. */
  show(request: EditRequestInput | undefined, complete: Completion = unchanged): void {
    if (!request?.control) {
      this.#latest.forget();
      this.#asked = '';
      this.#take(undefined);
      return;
    }
    const { task, pack = '', source, mask, blend, size, margins, control } = request;
    const { strength: _, fromScale: _from, toScale: _to, ...map } = control;
    const pictures = { ...(source && { source }), ...(mask && { mask, ...(blend !== undefined && { blend }) }) };
    const wanted = { task, pack, control: map, ...pictures, ...(size && { size }), ...(margins && { margins }) };
    const asked = JSON.stringify(wanted);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.#latest.ask(
      async () => {
        const { id } = await this.#link.call('control.preview', await complete(wanted));
        const file = await this.#link.download(id);
        void this.#link.call('picture.close', { id }).catch(() => undefined);
        return URL.createObjectURL(file);
      },
      (url) => {
        this.#take(url);
      },
    );
  }

  #take(url: string | undefined): void {
    if (this.url !== undefined) URL.revokeObjectURL(this.url);
    this.url = url;
  }
}
