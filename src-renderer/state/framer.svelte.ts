import type { Extent, Rect } from '#base/geometry.js';
import type { Point } from '#contract/mask.js';
import { cropOf, NO_FRAMING, turnedExtent, type Framing } from '#contract/framing.js';
import { insideOf, moved, pulled, shaped, shapeOf } from '#document/crop.js';
import type { PhotoDocument } from './photo-document.svelte.js';
import type { ShownPicture } from './pictures.js';
import type { StepEditor } from './step-editor.svelte.js';

/** What the studio lends to whoever frames a picture. */
export interface FramerContext {
  readonly document: PhotoDocument;
  readonly stepEditor: StepEditor;
  goOn(): boolean;
}

/** How the picture is to be turned, straightened and cut, until that is done or let be. */
export class Framer {
  on = $state(false);
  /** Everything that is wished; without a crop, as much as there is. */
  draft = $state.raw<Framing>(NO_FRAMING);
  /** A shape that the crop keeps, by its name; empty = any. */
  shape = $state('');

  /** What is framed: a step that did so before is done anew. */
  readonly base: ShownPicture | undefined = $derived.by(() => {
    const { sheets, step } = this.#context.document;
    return sheets[step]?.framing ? sheets[step - 1]?.picture : sheets[step]?.picture;
  });
  readonly turned: Extent = $derived.by(() => turnedExtent(this.#extent, this.draft));
  readonly crop: Rect = $derived.by(() => cropOf(this.draft, this.#extent));
  readonly isWhole: boolean = $derived.by(() => this.draft.crop === undefined && this.draft.straighten === 0 && this.draft.turns === 0 && !this.draft.mirrored); // prettier-ignore

  /** What was cut by hand; what only straightening has cut grows back. */
  #byHand: Rect | undefined;
  readonly #context: FramerContext;

  constructor(context: FramerContext) {
    this.#context = context;
  }

  get #extent(): Extent {
    return this.base?.info.size ?? { width: 1, height: 1 };
  }

  get #asBefore(): Framing | undefined {
    const { sheets, step } = this.#context.document;
    return sheets[step]?.framing;
  }

  begin(): void {
    if (!this.#context.goOn() || this.on) return;
    this.draft = this.#asBefore ?? NO_FRAMING;
    this.#byHand = this.draft.crop;
    this.shape = '';
    this.on = true;
  }

  leave(): void {
    this.on = false;
  }

  reset(): void {
    this.draft = NO_FRAMING;
    this.#byHand = undefined;
    this.shape = '';
  }

  /** A quarter to the right, with all that is cut. */
  turn(): void {
    const { turns, crop, straighten, mirrored } = this.draft;
    const { height } = this.turned;
    const turnedCrop = crop && { x: height - crop.y - crop.height, y: crop.x, width: crop.height, height: crop.width };
    this.draft = { mirrored, straighten, turns: (turns + 1) % 4, ...(turnedCrop && { crop: turnedCrop }) };
    this.#byHand &&= turnedCrop;
    this.shape = '';
  }

  /** As it is seen: what was turned is mirrored from left to right as well. */
  mirror(): void {
    const { turns, crop, straighten, mirrored } = this.draft;
    const flipped = crop && { ...crop, x: this.turned.width - crop.x - crop.width };
    this.draft = { mirrored: !mirrored, turns: (4 - turns) % 4, straighten: -straighten, ...(flipped && { crop: flipped }) };
    this.#byHand &&= flipped;
  }

  straighten(degrees: number): void {
    const straighten = Math.min(45, Math.max(-45, degrees));
    const whole = { x: 0, y: 0, ...this.turned };
    const crop = insideOf(this.#byHand ?? shaped(whole, this.ratio), { ...this.draft, straighten }, this.#extent);
    const { crop: _crop, ...rest } = this.draft;
    this.draft = { ...rest, straighten, ...(straighten === 0 && this.#isAll(crop) ? {} : { crop }) };
  }

  cut(crop: Rect): void {
    this.#byHand = crop;
    this.draft = { ...this.draft, crop: insideOf(crop, this.draft, this.#extent) };
  }

  /** By keys: what is kept moves, or its lower right corner. */
  nudge({ x, y }: Point, corner: boolean): void {
    const step = Math.max(1, Math.round(Math.max(this.turned.width, this.turned.height) / 100));
    const by = { x: x * step, y: y * step };
    this.cut(corner ? pulled(this.crop, { x: 1, y: 1 }, { by, shape: this.ratio }) : moved(this.crop, by));
  }

  takeShape(name: string): void {
    this.shape = name;
    if (this.ratio > 0) this.cut(shaped({ x: 0, y: 0, ...this.turned }, this.ratio));
  }

  /** Width by height that is kept; 0 = any. */
  get ratio(): number {
    return this.shape === '' ? 0 : shapeOf(this.shape, this.turned);
  }

  #isAll({ x, y, width, height }: Rect): boolean {
    return x === 0 && y === 0 && width === this.turned.width && height === this.turned.height;
  }

  async apply(): Promise<void> {
    if (!this.on) return;
    this.on = false;
    const before = this.#asBefore;
    if (this.isWhole && !before) return;
    if (JSON.stringify(before) !== JSON.stringify(this.draft)) await this.#context.stepEditor.frame(this.draft);
  }
}
