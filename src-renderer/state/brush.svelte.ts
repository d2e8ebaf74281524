import type { Extent } from '#base/geometry.js';
import type { BrushTip } from '#contract/mask.js';
import type { Combining } from '#document/mask.js';
import type { OutlineTool } from './outline.svelte.js';
import { MASK_TINTS, type MaskTint } from '#canvas/mask-layer.js';

const STEP = 1.25;
const SMALLEST_PX = 2;
const HARDNESS_STEP = 0.25;

/** What the pointer does: to the mask, or to where the picture lies. */
export type MaskTool = 'hand' | 'brush' | 'remove' | 'similar' | 'object' | OutlineTool;

/** Size and effect of the mask brush; sizes are diameters in picture pixels. */
export class Brush {
  tool = $state<MaskTool>('brush');
  erase = $state(false);
  sizePx = $state(48);
  /** Share of the radius that is painted in full, 0..1; beyond it the paint fades. */
  hardness = $state(1);
  /** How much colours may differ to be similar, 0..255. */
  tolerance = $state(24);
  /** How an outline, or what is similar, changes what is painted. */
  combining = $state<Combining>('add');
  tint = $state<MaskTint>('red');
  #longerSide = $state(1024);

  /** It is pulled over the picture, and has a size. */
  readonly isPulled = $derived(this.tool === 'brush' || this.tool === 'remove');

  readonly tip: Omit<BrushTip, 'erase'> = $derived({
    radiusPx: this.sizePx / 2,
    ...(this.hardness < 1 && { hardness: this.hardness }),
  });
  readonly largest = $derived(Math.max(16, Math.round(this.#longerSide / 2)));
  /** The size on a scale from 0 to 1 that gives small brushes as much room as large ones. */
  readonly position = $derived(Math.log(this.sizePx / SMALLEST_PX) / Math.log(this.largest / SMALLEST_PX));

  /** One thing at a time: whatever is taken, the eraser is put down. */
  take(tool: MaskTool): void {
    this.tool = tool;
    this.erase = false;
  }

  takeEraser(): void {
    this.tool = 'brush';
    this.erase = true;
  }

  /** A brush that suits a picture: a tenth of its shorter side. */
  fit({ width, height }: Extent): void {
    this.#longerSide = Math.max(width, height);
    this.resize(Math.min(width, height) / 10);
  }

  resize(sizePx: number): void {
    this.sizePx = Math.min(this.largest, Math.max(SMALLEST_PX, sizePx));
  }

  moveTo(position: number): void {
    this.resize(SMALLEST_PX * (this.largest / SMALLEST_PX) ** position);
  }

  grow(): void {
    this.resize(this.sizePx * STEP);
  }

  shrink(): void {
    this.resize(this.sizePx / STEP);
  }

  soften(by = HARDNESS_STEP): void {
    this.hardness = Math.min(1, Math.max(0, this.hardness - by));
  }

  harden(): void {
    this.soften(-HARDNESS_STEP);
  }

  nextTint(): void {
    this.tint = MASK_TINTS[(MASK_TINTS.indexOf(this.tint) + 1) % MASK_TINTS.length] ?? 'red';
  }
}
