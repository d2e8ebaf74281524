import type { BrushTip, MaskHistory, Point, Stroke } from '#contract/mask.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { EMPTY_MASK, withStep } from '#document/mask.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { Phase } from './sheets.js';

/** What is to be removed: where, and how that was painted. */
export interface Removal {
  readonly png: Blob;
  readonly held: MaskHistory;
}

/** What the studio lends to whoever removes things. */
export interface RemoverContext {
  readonly document: PhotoDocument;
  readonly phase: Phase;
  /** A picture can be filled at all. */
  readonly canFill: boolean;
  /** Runs a fill, and keeps what comes of it. Says whether anything did. */
  remove(removal: Removal): Promise<boolean>;
}

/**
 * A brush that fills what it has painted when it is lifted. The next stroke need not wait: while one is at work, others
 * queue, and each becomes a step of its own that can be undone. The mask of the document has no part in it.
 */
export class Remover {
  /** Strokes that are at work or wait, and the one that is being painted. */
  layer = $state.raw<MaskLayer>();
  /** Rises with every change of the pixels. */
  revision = $state(0);
  waiting = $state.raw<readonly Stroke[]>([]);
  busy = $state(false);
  #atWork: Stroke | undefined;
  readonly #context: RemoverContext;

  constructor(context: RemoverContext) {
    this.#context = context;
  }

  /** Where a stroke can begin: also while another is at work. */
  get ready(): boolean {
    const { phase, canFill } = this.#context;
    return canFill && (phase !== 'running' || this.busy);
  }

  paint(from: Point, to: Point, tip: BrushTip): void {
    this.#layerNow()?.paint(from, to, tip);
  }

  touched(): void {
    this.revision += 1;
  }

  /** The brush was lifted. Resolves when nothing waits any more. */
  async lifted(stroke: Stroke): Promise<void> {
    this.waiting = [...this.waiting, stroke];
    this.#redraw();
    await this.goOn();
  }

  /** Does what waits; what failed waits for that with all behind it. */
  async goOn(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.#next()) if (!(await this.#remove())) break;
    } finally {
      this.busy = false;
      if (this.#context.phase === 'failed' && this.#atWork) this.#waitAgain(this.#atWork);
      else this.forget();
    }
  }

  #waitAgain(stroke: Stroke): void {
    this.#atWork = undefined;
    this.waiting = [stroke, ...this.waiting];
    this.#redraw();
  }

  /** The stroke that was being pulled was not meant. */
  dropped(): void {
    this.#redraw();
  }

  /** Nothing is to be removed any more. */
  forget(): void {
    this.waiting = [];
    this.#atWork = undefined;
    this.#redraw();
  }

  /** Whether there is one. */
  #next(): boolean {
    const [next, ...rest] = this.waiting;
    this.#atWork = next;
    this.waiting = rest;
    this.#redraw();
    return next !== undefined;
  }

  async #remove(): Promise<boolean> {
    const { source } = this.#context.document;
    if (!source || !this.#atWork) return false;
    const held = historyOf([this.#atWork]);
    const own = new MaskLayer(source.info.size);
    own.show(held);
    // It was pulled beside the picture.
    return own.empty || this.#context.remove({ png: await own.toPng(), held });
  }

  #redraw(): void {
    const strokes = [...(this.#atWork ? [this.#atWork] : []), ...this.waiting];
    if (strokes.length === 0) this.layer = undefined;
    else this.#layerNow()?.show(historyOf(strokes));
    this.touched();
  }

  #layerNow(): MaskLayer | undefined {
    const { source } = this.#context.document;
    if (!this.layer && source) this.layer = new MaskLayer(source.info.size, () => { this.touched(); }); // prettier-ignore
    return this.layer;
  }
}

function historyOf(strokes: readonly Stroke[]): MaskHistory {
  return strokes.reduce((history, stroke) => withStep(history, { kind: 'stroke', stroke }), EMPTY_MASK);
}
