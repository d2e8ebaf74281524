import { sameExtent } from '#base/geometry.js';
import type { PictureId } from '#contract/request.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { Pictures, ShownPicture } from './pictures.js';
import type { StepEditor } from './step-editor.svelte.js';

/** What the studio lends to whoever fades a step. */
export interface FaderContext {
  readonly document: PhotoDocument;
  readonly stepEditor: StepEditor;
  /** What fails is said. */
  attempt<T>(work: () => Promise<T>): Promise<T | undefined>;
}

/** A step as it looks while its opacity is being pulled: its whole picture over the one below. */
export interface Faded {
  readonly below: ShownPicture;
  readonly above: ShownPicture;
  readonly opacity: number;
}

/** How strongly the open step lies over the one before: shown at once, and made when it is let go. */
export class Fader {
  #pulled = $state.raw<number>();
  /** The step as its run made it, where its own picture is fainter. */
  #whole = $state.raw<ShownPicture>();
  #working: Promise<void> | undefined;

  /** 0..1 */
  readonly opacity: number = $derived.by(() => this.#pulled ?? this.#sheet?.opacity ?? 1);
  /** Nothing to fade in a photograph, in what is left out, and in what has grown. */
  readonly canFade: boolean = $derived.by(() => {
    const [sheet, below] = [this.#sheet, this.#below];
    return sheet?.change !== undefined && !sheet.hidden && below !== undefined && sameExtent(below.info.size, sheet.picture.info.size);
  });
  readonly faded: Faded | undefined = $derived.by(() => {
    const [below, opacity] = [this.#below, this.#pulled];
    const above = this.#isWhole ? this.#sheet?.picture : this.#whole;
    return opacity !== undefined && below && above ? { below, above, opacity } : undefined;
  });

  readonly #context: FaderContext;
  readonly #pictures: Pictures;

  constructor(context: FaderContext, pictures: Pictures) {
    this.#context = context;
    this.#pictures = pictures;
  }

  get #sheet() {
    const { document } = this.#context;
    return document.step > 0 ? document.sheets[document.step] : undefined;
  }

  get #below(): ShownPicture | undefined {
    const { document } = this.#context;
    return document.sheets[document.step - 1]?.picture;
  }

  get #isWhole(): boolean {
    return this.#sheet?.picture.info.id === this.#sheet?.change?.after;
  }

  /** The slider is being pulled. */
  pull(opacity: number): void {
    if (!this.canFade) return;
    this.#pulled = opacity;
    const after = this.#sheet?.change?.after;
    if (!this.#isWhole && after !== undefined && this.#whole?.info.id !== after) void this.#bring(after);
  }

  async #bring(id: PictureId): Promise<void> {
    const picture = await this.#context.attempt(() => this.#pictures.show(id));
    if (!picture) return;
    this.#whole?.pixels.close();
    this.#whole = picture;
  }

  /** It was let go: the step becomes so. What is pulled meanwhile follows. */
  async settle(): Promise<void> {
    this.#working ??= this.#work().finally(() => (this.#working = undefined));
    await this.#working;
  }

  async #work(): Promise<void> {
    const { document, stepEditor } = this.#context;
    for (let wanted = this.#pulled; wanted !== undefined; wanted = this.#pulled) {
      if (wanted !== (this.#sheet?.opacity ?? 1)) await stepEditor.fade(document.step, wanted);
      if (wanted === this.#pulled) this.#pulled = undefined;
    }
  }

  forget(): void {
    this.#pulled = undefined;
    this.#whole?.pixels.close();
    this.#whole = undefined;
  }
}
