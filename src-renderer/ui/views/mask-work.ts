import type { Area, Stroke } from '#contract/mask.js';
import { BrushPull } from '#canvas/brush-pull.js';
import type { Gesture } from '#canvas/gestures/gesture.js';
import { OutlineGesture } from '#canvas/gestures/outline.js';
import { PaintGesture } from '#canvas/gestures/paint.js';
import type { ScreenPoint } from '#canvas/viewport.js';
import type { Brush } from '#state/brush.svelte.js';
import type { Outline, OutlineTool } from '#state/outline.svelte.js';
import type { Studio } from '#state/studio.svelte.js';

/** How near to a corner a click means that corner, in screen pixels. */
const CORNER_REACH = 8;

export interface MaskPlace {
  readonly studio: Studio;
  readonly brush: Brush;
  readonly outline: Outline;
  /** From the screen to pixels of the source, where the mask lives. */
  readonly toSource: (at: ScreenPoint) => ScreenPoint;
  readonly zoom: () => number;
}

/** What a press on the picture does to the mask, whichever tool is in the hand. */
export class MaskWork {
  readonly #place: MaskPlace;
  readonly toSource: MaskPlace['toSource'];

  constructor(place: MaskPlace) {
    this.#place = place;
    this.toSource = place.toSource;
  }

  /** The gesture that begins there; undefined where the press itself was all. */
  begin(at: ScreenPoint, erase: boolean): Gesture | undefined {
    const { studio, brush } = this.#place;
    const { layer } = studio.mask;
    if (brush.tool === 'remove') return this.#removal();
    if (brush.tool === 'similar') void studio.selectSimilar({ at: this.toSource(at), tolerance: brush.tolerance, erase });
    else if (brush.tool !== 'brush') return this.#outline(brush.tool, this.toSource(at), erase);
    else if (layer) return new PaintGesture(new BrushPull(layer, { ...brush.tip, erase }), this);
    return undefined;
  }

  #removal(): Gesture {
    const { remover } = this.#place.studio;
    const place = {
      toSource: this.toSource,
      touched: () => {
        remover.touched();
      },
      painted: (stroke: Stroke) => void remover.lifted(stroke),
      dropped: () => {
        remover.dropped();
      },
    };
    return new PaintGesture(new BrushPull(remover, { ...this.#place.brush.tip, hardness: 1, erase: false }), place);
  }

  /** A polygon goes from click to click, and is pulled by nobody. */
  #outline(tool: OutlineTool, at: ScreenPoint, erase: boolean): Gesture | undefined {
    const { outline, zoom } = this.#place;
    if (outline.waits) {
      const area = outline.corner(at, CORNER_REACH / zoom());
      if (area) this.enclose(area);
    } else outline.begin(tool, at, erase);
    return tool === 'polygon' ? undefined : new OutlineGesture(outline, this);
  }

  touched(): void {
    this.#place.studio.mask.touched();
  }

  painted(stroke: Stroke): void {
    this.#place.studio.mask.addPainted({ kind: 'stroke', stroke });
  }

  dropped(stroke: Stroke): void {
    this.painted(stroke);
    this.#place.studio.mask.undo();
  }

  enclose(area: Area): void {
    this.#place.studio.mask.add({ kind: 'area', area });
  }
}
