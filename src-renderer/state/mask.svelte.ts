import { sampleCount, type Extent, type Rect } from '#base/geometry.js';
import type { Pointing } from '#contract/selection.js';
import type { Area, MaskHistory, MaskList, MaskStep, Point } from '#contract/mask.js';
import { refineMask, selectSimilar } from '#canvas/mask-file.js';
import { MaskLayer, pngOf } from '#canvas/mask-layer.js';
import { offThread } from '#canvas/off-thread.js';
import { combined, EMPTY_MASK, rasterise, redone, runsOf, undone, withStep, type Combining, type PaintedRuns } from '#document/mask.js';
import { activeMask, ONE_MASK, repaintIndex, withHistory } from '#document/mask-list.js';
import { MaskPixels } from '#document/mask-pixels.js';
import type { ShownPicture } from './pictures.js';

/** What a click with the tool for similar pixels means. */
export interface SimilarWish {
  readonly at: Point;
  readonly tolerance: number;
  readonly erase: boolean;
  /** Of what is painted only what is similar stays. */
  readonly within?: boolean;
}

/** An object that was pointed at, and what its pixels do to the mask. */
export interface ObjectWish {
  readonly pointing: Pointing;
  readonly how: Combining;
}

/** Finds the object that is pointed at in a picture; undefined where that was given up. */
export type FindObject = (picture: ShownPicture, pointing: Pointing, signal: AbortSignal) => Promise<PaintedRuns | undefined>;

/** Of larger pictures, what takes long is worked out beside the window's own thread. */
const AT_ONCE_PIXELS = 2_000_000;
/** Steps that do not look at every pixel. */
const SHORT: ReadonlySet<MaskStep['kind']> = new Set<MaskStep['kind']>(['stroke', 'area']);

function isLarge(extent: Extent): boolean {
  return sampleCount(extent) > AT_ONCE_PIXELS;
}

/** With all of its soft edge: what is taken away leaves no rim. */
function whole({ lengths }: PaintedRuns): PaintedRuns {
  return { lengths };
}

/** The masks of the open picture; of the active one the history, and the pixels. */
export class Mask {
  history = $state.raw<MaskHistory>(EMPTY_MASK);
  layer = $state.raw<MaskLayer>();
  /** What the painted pixels lie in; undefined where none are. */
  bounds = $state.raw<Rect>();
  /** Is any pixel painted? */
  readonly painted = $derived(this.bounds !== undefined);
  /** Rises with every change of the pixels, which are not observed one by one. */
  revision = $state(0);

  #list = $state.raw<MaskList>(ONE_MASK);
  readonly list: MaskList = $derived(withHistory(this.#list, this.history));

  /** What the active mask says of sources; undefined where it says what to repaint. */
  readonly use = $derived(activeMask(this.list).use);
  /** While sources are painted: the mask that says where to repaint. */
  #aside = $state.raw<MaskPixels>();
  /** Is there anything to repaint? */
  readonly masked = $derived(this.use === undefined ? this.painted : this.#aside !== undefined && !this.#aside.empty);

  readonly canUndo = $derived(this.history.length > 0);
  readonly canRedo = $derived(this.history.length < this.history.steps.length);

  readonly #onstep: () => void;
  #picture: ShownPicture | undefined;
  #selecting: Promise<unknown> = Promise.resolve();
  #stop = new AbortController();
  #waiting = $state(0);
  #working = $state(0);
  /** An object is being looked for. */
  readonly selecting = $derived(this.#waiting > 0);
  /** A step that was taken is still being worked out. */
  readonly working = $derived(this.#working > 0);

  /** `onstep` hears of every new step. */
  constructor(onstep: () => void) {
    this.#onstep = onstep;
  }

  /** Begins with a picture and its masks. */
  begin(picture: ShownPicture, list: MaskList): void {
    this.stopSelecting();
    this.#picture = picture;
    this.layer = new MaskLayer(picture.info.size, () => {
      this.revision += 1;
    });
    this.take(list);
  }

  /** Other masks of the same picture. */
  take(list: MaskList): void {
    this.#list = list;
    const repaints = repaintIndex(list);
    const aside = activeMask(list).use === undefined ? undefined : list.masks[repaints]?.history;
    this.#aside = aside && this.#pixelsOf(aside);
    this.#set(activeMask(list).history);
  }

  /** The history of the mask that says where to repaint. */
  get repaint(): MaskHistory {
    return this.list.masks[repaintIndex(this.list)]?.history ?? EMPTY_MASK;
  }

  /** White where to repaint; undefined where nothing is. */
  async repaintPng(): Promise<Blob | undefined> {
    if (!this.masked) return undefined;
    return this.#aside ? pngOf(this.#aside) : this.layer?.toPng();
  }

  /** There is no picture any more. */
  end(): void {
    this.stopSelecting();
    this.#picture = undefined;
    this.layer = undefined;
    this.#list = ONE_MASK;
    this.#set(EMPTY_MASK);
  }

  /** A part of a stroke was painted straight onto the layer. */
  touched(): void {
    this.revision += 1;
  }

  /** Takes a stroke whose paint is already on the layer. */
  addPainted(step: MaskStep & { kind: 'stroke' }): void {
    this.layer?.commit(step);
    this.history = withStep(this.history, step);
    this.#changed();
    this.#onstep();
  }

  /** What takes long is done after what was asked for before. */
  add(step: MaskStep): void {
    if (this.working || this.#isLong(step)) void this.#afterwards((isWanted) => this.#take(step, isWanted));
    else this.#apply(step);
  }

  /** Adds what is still to be read, as of a file; a run that is asked for meanwhile waits for it. */
  addComing(read: () => Promise<PaintedRuns>): Promise<void> {
    return this.#afterwards(async (isWanted) => {
      await this.#take(combined(await read(), 'add'), isWanted);
    });
  }

  /** Resolves when every step that was taken is worked out. */
  async settled(): Promise<void> {
    if (this.working) await this.#selecting;
  }

  #isLong({ kind }: MaskStep): boolean {
    return this.layer !== undefined && !SHORT.has(kind) && isLarge(this.layer.extent);
  }

  #apply(step: MaskStep): void {
    this.layer?.apply(step);
    this.#added(step);
  }

  async #take(step: MaskStep, isWanted: () => boolean): Promise<void> {
    if (!isWanted()) return;
    if (!this.#isLong(step)) {
      this.#apply(step);
      return;
    }
    const { layer } = this;
    // What is painted meanwhile is a part of what the step begins with.
    while (layer && !(await layer.work(step, isWanted))) if (!isWanted()) return;
    this.#added(step);
  }

  #added(step: MaskStep): void {
    this.history = withStep(this.history, step);
    this.#changed();
    this.#onstep();
  }

  #afterwards(work: (isWanted: () => boolean) => Promise<void>): Promise<void> {
    const [picture, { signal }] = [this.#picture, this.#stop];
    this.#working += 1;
    const done = this.#selecting.then(() => work(() => picture === this.#picture && !signal.aborted));
    this.#selecting = done.catch(() => undefined);
    return done.finally(() => (this.#working -= 1));
  }

  /**
   * Adds the pixels that are like the one at `at` and hang together with it; takes them away where `erase` says so.
   * One after the other: of two clicks, the first is the earlier step. `whole` gives all pixels of a picture.
   */
  addSimilar({ at, tolerance, erase, within }: SimilarWish, whole: (picture: ShownPicture) => Promise<ImageBitmap>): Promise<void> {
    const picture = this.#picture;
    const added = this.#selecting.then(async () => {
      if (!picture || picture !== this.#picture) return;
      const runs = await selectSimilar(await whole(picture), at, tolerance);
      if (!runs) return;
      const step: MaskStep = within ? { kind: 'within', runs: { ...runs, erase: false } } : { kind: 'runs', runs: { ...runs, erase } };
      await this.#take(step, () => picture === this.#picture);
    });
    this.#selecting = added.catch(() => undefined);
    return added;
  }

  /** One after the other, as with similar pixels; an object that was not found leaves no step. */
  addObject({ pointing, how }: ObjectWish, find: FindObject): Promise<void> {
    const [picture, { signal }] = [this.#picture, this.#stop];
    this.#waiting += 1;
    const added = this.#selecting.then(async () => {
      const isWanted = () => picture === this.#picture && !signal.aborted;
      const runs = picture && isWanted() ? await find(picture, pointing, signal) : undefined;
      if (runs && runs.lengths.length > 1) await this.#take(combined(how === 'subtract' ? whole(runs) : runs, how), isWanted);
    });
    this.#selecting = added.catch(() => undefined);
    return added.finally(() => (this.#waiting -= 1));
  }

  /** Gives up the objects that are looked for. */
  stopSelecting(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  /** Its edges follow those of the picture, within this radius; after all that was clicked before. */
  refine(radius: number, whole: (picture: ShownPicture) => Promise<ImageBitmap>): Promise<void> {
    const picture = this.#picture;
    const refined = this.#selecting.then(async () => {
      const { layer, history } = this;
      if (!picture || picture !== this.#picture || !layer) return;
      const runs = await refineMask(await whole(picture), layer, radius);
      const isWanted = () => picture === this.#picture && history === this.history;
      if (runs) await this.#take({ kind: 'set', runs: { ...runs, erase: false } }, isWanted);
    });
    this.#selecting = refined.catch(() => undefined);
    return refined;
  }

  /** Combines what is painted with another mask of the list. */
  combine(index: number, how: Combining): void {
    const other = this.list.masks[index];
    if (other && index !== this.list.active) this.#combine(other.history, how);
  }

  /** Of what is painted only what lies in the area stays. */
  keepWithin({ points }: Area): void {
    this.#combine(withStep(EMPTY_MASK, { kind: 'area', area: { points, erase: false } }), 'intersect');
  }

  #combine(history: MaskHistory, how: Combining): void {
    const { layer } = this;
    if (!layer) return;
    const { extent } = layer;
    if (!isLarge(extent)) this.add(combined(runsOf(rasterise(history, extent)), how));
    else {
      void this.#afterwards(async (isWanted) => {
        const runs = await offThread('paint', { history, extent });
        if (runs) await this.#take(combined(runs, how), isWanted);
      });
    }
  }

  /** Repeats what was done on another mask. */
  repeat({ steps, length }: MaskHistory): void {
    for (const step of steps.slice(0, length)) this.add(step);
  }

  undo(): void {
    this.#set(undone(this.history));
  }

  redo(): void {
    this.#set(redone(this.history));
  }

  #pixelsOf(history: MaskHistory): MaskPixels | undefined {
    if (!this.#picture) return undefined;
    const pixels = new MaskPixels(this.#picture.info.size);
    pixels.show(history);
    return pixels;
  }

  #set(history: MaskHistory): void {
    this.history = history;
    this.layer?.show(history);
    this.#changed();
  }

  #changed(): void {
    this.bounds = this.layer?.bounds;
    this.revision += 1;
  }
}
