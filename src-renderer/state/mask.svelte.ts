import type { Extent } from '#base/geometry.js';
import { MaskLayer } from '#canvas/mask-layer.js';
import { EMPTY_MASK, redone, undone, withStep, type MaskHistory, type MaskStep } from '#document/mask.js';

/** The mask of the open picture: its history, and its pixels. */
export class Mask {
  history = $state.raw<MaskHistory>(EMPTY_MASK);
  layer = $state.raw<MaskLayer>();
  /** Is any pixel painted? */
  painted = $state(false);
  /** Rises with every change of the pixels, which are not observed one by one. */
  revision = $state(0);

  readonly canUndo = $derived(this.history.length > 0);
  readonly canRedo = $derived(this.history.length < this.history.steps.length);

  /** Begins with a picture; `history` where the picture was here before. */
  begin(extent: Extent, history: MaskHistory = EMPTY_MASK): void {
    this.layer = new MaskLayer(extent);
    this.#set(history);
  }

  /** A part of a stroke was painted straight onto the layer. */
  touched(): void {
    this.revision += 1;
  }

  /** Takes a stroke whose paint is already on the layer. */
  addPainted(step: MaskStep & { kind: 'stroke' }): void {
    this.history = withStep(this.history, step);
    this.#changed();
  }

  add(step: MaskStep): void {
    this.history = withStep(this.history, step);
    this.layer?.apply(step);
    this.#changed();
  }

  undo(): void {
    this.#set(undone(this.history));
  }

  redo(): void {
    this.#set(redone(this.history));
  }

  #set(history: MaskHistory): void {
    this.history = history;
    this.layer?.show(history);
    this.#changed();
  }

  #changed(): void {
    this.painted = this.layer !== undefined && !this.layer.empty;
    this.revision += 1;
  }
}
