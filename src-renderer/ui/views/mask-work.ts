import type { Area, Point, Stroke } from '#contract/mask.js';
import type { PictureId } from '#contract/request.js';
import { BrushPull } from '#canvas/brush-pull.js';
import type { Gesture } from '#canvas/gestures/gesture.js';
import { OutlineGesture } from '#canvas/gestures/outline.js';
import { PaintGesture } from '#canvas/gestures/paint.js';
import { SelectGesture, type SelectPlace } from '#canvas/gestures/select.js';
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
  /** From the screen to pixels of what is shown. */
  readonly toSpace: (at: ScreenPoint) => ScreenPoint;
  readonly zoom: () => number;
}

/** How a press is meant. */
export interface Manner {
  readonly erase: boolean;
  /** On from where the last stroke ended. */
  readonly straight?: boolean;
}

/** What a press on the picture does to the mask, whichever tool is in the hand. */
export class MaskWork {
  readonly #place: MaskPlace;
  readonly toSource: MaskPlace['toSource'];
  readonly toSpace: MaskPlace['toSpace'];
  /** Where the last stroke ended, and in which document. */
  #last: { readonly document: PictureId; readonly end: Point } | undefined;

  constructor(place: MaskPlace) {
    this.#place = place;
    this.toSource = place.toSource;
    this.toSpace = place.toSpace;
  }

  /** The gesture that begins there; undefined where the press itself was all. */
  begin(at: ScreenPoint, { erase, straight = false }: Manner): Gesture | undefined {
    const { studio, brush } = this.#place;
    const { layer } = studio.mask;
    if (studio.blender.on) return this.#blend(erase);
    if (brush.tool === 'remove') return this.#removal(straight);
    if (brush.tool === 'hand') return undefined;
    if (brush.tool === 'object') return this.#object(at, { erase, straight });
    if (brush.tool === 'similar') this.#similar(this.toSource(at), erase);
    else if (brush.tool !== 'brush') return this.#outline(brush.tool, this.toSource(at), erase || brush.combining === 'subtract');
    else if (layer) return new PaintGesture(this.#pull(new BrushPull(layer, { ...brush.tip, erase }), straight), this);
    return undefined;
  }

  /** A straight one begins where the last stroke in this document ended. */
  #pull(pull: BrushPull, straight: boolean): BrushPull {
    const { document, end } = this.#last ?? {};
    if (straight && end && document === this.#document) pull.to({ x: end.x, y: end.y });
    return pull;
  }

  /** A document is told by the photograph that it began with. */
  get #document(): PictureId | undefined {
    return this.#place.studio.document.sheets[0]?.picture.info.id;
  }

  #ended({ points }: Stroke): void {
    const [end, document] = [points.at(-1), this.#document];
    this.#last = end && document !== undefined ? { document, end } : undefined;
  }

  #removal(straight: boolean): Gesture {
    const { remover } = this.#place.studio;
    const place = {
      toSource: this.toSource,
      touched: () => {
        remover.touched();
      },
      painted: (stroke: Stroke) => {
        this.#ended(stroke);
        void remover.lifted(stroke);
      },
      dropped: () => {
        remover.dropped();
      },
    };
    return new PaintGesture(this.#pull(new BrushPull(remover, { ...this.#place.brush.tip, hardness: 1, erase: false }), straight), place);
  }

  /** The brush brings another variant, or takes it away again. */
  #blend(erase: boolean): Gesture {
    const { blender } = this.#place.studio;
    const place = {
      toSource: this.toSpace,
      touched: () => {
        blender.touched();
      },
      painted: (stroke: Stroke) => {
        blender.painted(stroke);
      },
      dropped: () => {
        blender.dropped();
      },
    };
    return new PaintGesture(new BrushPull(blender, { ...this.#place.brush.tip, erase }), place);
  }

  #similar(at: Point, erase: boolean): void {
    const { studio, brush } = this.#place;
    const { combining, tolerance } = brush;
    void studio.selectSimilar({ at, tolerance, erase: erase || combining === 'subtract', within: !erase && combining === 'intersect' });
  }

  /** Alt takes away and Shift adds, whatever the buttons say. */
  #object(at: ScreenPoint, { erase, straight = false }: Manner): Gesture {
    const { studio, brush, outline } = this.#place;
    const how = erase ? 'subtract' : straight ? 'add' : brush.combining;
    outline.begin('rectangle', this.toSource(at), erase);
    const pointed: SelectPlace['pointed'] = (pointing) => void studio.selectObject({ pointing, how });
    return new SelectGesture(at, outline, { toSource: this.toSource, pointed });
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
    this.#ended(stroke);
    this.#place.studio.mask.addPainted({ kind: 'stroke', stroke });
  }

  dropped(stroke: Stroke): void {
    this.painted(stroke);
    this.#place.studio.mask.undo();
  }

  enclose(area: Area): void {
    const { studio, brush } = this.#place;
    if (brush.combining === 'intersect' && !area.erase) studio.mask.keepWithin(area);
    else studio.mask.add({ kind: 'area', area });
  }
}
