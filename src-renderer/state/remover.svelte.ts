import type { BrushTip, Point, Stroke } from '#contract/mask.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { EMPTY_MASK, withStep } from '#document/mask.js';
import { MaskPixels } from '#document/mask-pixels.js';
import { DEFAULT_SETTINGS, type Settings } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { QueuedRun } from './run-order.js';
import type { RunQueue } from './run-queue.svelte.js';

/** Of the panels' wish nothing has to do with what is to go. */
const TO_REMOVE = { instruction: '', margins: NO_MARGINS, control: DEFAULT_SETTINGS.control, count: 1 } as const;

/** What the studio lends to whoever removes things. */
export interface RemoverContext {
  readonly document: PhotoDocument;
  readonly queue: RunQueue;
  /** A picture can be filled at all. */
  readonly canFill: boolean;
  readonly settings: Settings;
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
    const size = this.#context.document.source?.info.size;
    if (!size) return;
    const mask = withStep(EMPTY_MASK, { kind: 'stroke', stroke });
    const pixels = new MaskPixels(size);
    pixels.show(mask);
    // It may have been pulled beside the picture.
    if (pixels.empty) {
      this.dropped();
      return;
    }
    const settings = { ...this.#context.settings, ...TO_REMOVE };
    await this.#context.queue.add({ order: { verb: 'fill', settings, size, mask, removes: true } });
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
  const { mask, removes } = run?.order ?? {};
  return removes ? (mask?.steps ?? []).flatMap((step) => (step.kind === 'stroke' ? [step.stroke] : [])) : [];
}
