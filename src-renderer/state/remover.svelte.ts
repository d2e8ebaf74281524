import type { BrushTip, MaskHistory, Point, Stroke } from '#contract/mask.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { EMPTY_MASK, withStep } from '#document/mask.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { QueuedRun, RunQueue } from './run-queue.svelte.js';

/** What is to be removed: where, and how that was painted. */
export interface Removal {
  readonly png: Blob;
  readonly held: MaskHistory;
}

/** What the studio lends to whoever removes things. */
export interface RemoverContext {
  readonly document: PhotoDocument;
  readonly queue: RunQueue;
  /** A picture can be filled at all. */
  readonly canFill: boolean;
  /** Runs a fill, and keeps what comes of it. */
  remove(removal: Removal): Promise<void>;
}

/** A stroke among the runs that wait. */
interface StrokeRun extends QueuedRun {
  readonly stroke: Stroke;
}

/**
 * A brush that fills what it has painted when it is lifted. The next stroke need not wait: while a run is on, it has a
 * place in the queue, and becomes a step of its own that can be undone. The mask of the document has no part in it.
 */
export class Remover {
  /** Strokes that are at work or wait, and the one that is being painted. */
  layer = $state.raw<MaskLayer>();
  /** Rises with every change of the pixels. */
  revision = $state(0);
  readonly #context: RemoverContext;
  /** What the layer shows. */
  #drawn: readonly Stroke[] = [];

  constructor(context: RemoverContext) {
    this.#context = context;
  }

  /** Where a stroke can begin: also while something else is at work. */
  get ready(): boolean {
    return this.#context.canFill;
  }

  get waiting(): readonly Stroke[] {
    return this.#context.queue.waiting.flatMap((run) => strokeOf(run));
  }

  get busy(): boolean {
    return strokeOf(this.#context.queue.atWork).length > 0;
  }

  paint(from: Point, to: Point, tip: BrushTip): void {
    this.#layerNow()?.paint(from, to, tip);
  }

  touched(): void {
    this.revision += 1;
  }

  /** The brush was lifted. Resolves when nothing waits any more, or at once where something is at work. */
  async lifted(stroke: Stroke): Promise<void> {
    const run: StrokeRun = { verb: 'remove', words: '', stroke, start: () => this.#remove(stroke) };
    await this.#context.queue.add(run);
  }

  /** The stroke that was being pulled was not meant. */
  dropped(): void {
    this.#redraw(this.#drawn);
  }

  /** Shows what waits and is at work now. */
  follow(): void {
    const strokes = [...strokeOf(this.#context.queue.atWork), ...this.waiting];
    const isSame = strokes.length === this.#drawn.length && strokes.every((stroke, i) => stroke === this.#drawn[i]);
    if (!isSame) this.#redraw(strokes);
  }

  async #remove(stroke: Stroke): Promise<void> {
    const { source } = this.#context.document;
    if (!source) return;
    const held = withStep(EMPTY_MASK, { kind: 'stroke', stroke });
    const own = new MaskLayer(source.info.size);
    own.show(held);
    // It may have been pulled beside the picture.
    if (!own.empty) await this.#context.remove({ png: await own.toPng(), held });
  }

  #redraw(strokes: readonly Stroke[]): void {
    this.#drawn = strokes;
    if (strokes.length === 0) this.layer = undefined;
    else this.#layerNow()?.show(strokes.reduce((history, stroke) => withStep(history, { kind: 'stroke', stroke }), EMPTY_MASK));
    this.touched();
  }

  #layerNow(): MaskLayer | undefined {
    const { source } = this.#context.document;
    if (!this.layer && source) this.layer = new MaskLayer(source.info.size, () => { this.touched(); }); // prettier-ignore
    return this.layer;
  }
}

function strokeOf(run: QueuedRun | undefined): readonly Stroke[] {
  return run && 'stroke' in run ? [(run as StrokeRun).stroke] : [];
}
