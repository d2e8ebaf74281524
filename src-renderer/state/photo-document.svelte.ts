import type { MaskHistory, MaskList } from '#contract/mask.js';
import type { PictureId } from '#contract/request.js';
import { NO_CHANGES, settled, withChange, type Change, type Changes } from '#document/changes.js';
import { EMPTY_MASK } from '#document/mask.js';
import { activeMask, carriedOn, ONE_MASK, sourcesOf } from '#document/mask-list.js';
import { StepHistory } from './step-history.svelte.js';
import { Mask } from './mask.svelte.js';
import type { Pictures, ShownPicture } from './pictures.js';
import type { Sheet, ShownResult, Steps } from './sheets.js';
import { unusedOf } from './unused.js';

interface Listeners {
  /** Hears of every new step on a mask. */
  readonly onstep: () => void;
  /** Hears of every change of the panels that is taken back, or up again. */
  readonly onturn: (change: Change, side: 'was' | 'is') => void;
}

/** The open picture with its masks, and the steps before and behind it. */
export class PhotoDocument {
  source = $state.raw<ShownPicture>();
  /** The open picture is an empty sheet. */
  blank = $state(false);
  readonly mask: Mask;
  /** What was changed in the panels since it was opened first. */
  changes = $state.raw<Changes>(NO_CHANGES);
  readonly history = new StepHistory();
  /** What else is known of the open step. */
  #rest = $state.raw<Pick<Sheet, 'recipe' | 'held' | 'copied' | 'map' | 'change' | 'framing' | 'opacity' | 'hidden' | 'stale'>>({});
  /** Every picture that was kept, the open one among them, and which that is. */
  readonly sheets: readonly Sheet[] = $derived([...this.history.past, ...(this.source ? [this.sheet()] : []), ...this.history.future]);
  readonly step = $derived(this.history.past.length);

  readonly #pictures: Pictures;
  readonly #onturn: Listeners['onturn'];

  constructor(pictures: Pictures, { onstep, onturn }: Listeners) {
    this.#pictures = pictures;
    this.#onturn = onturn;
    this.mask = new Mask(() => {
      this.changes = settled(this.changes);
      onstep();
    });
  }

  /** Of a picture before this one, where it fits. */
  get lastMask(): MaskHistory | undefined {
    return this.source && this.history.lastMask(this.source.info.size);
  }

  get steps(): Steps {
    return { sheets: this.sheets, open: this.step };
  }

  /** The open step as a value. */
  sheet(): Sheet {
    if (!this.source) throw new Error('Expected an open picture.');
    const { list, history } = this.mask;
    const { name, use } = activeMask(list);
    const several = list.masks.length > 1 || name !== '' || use !== undefined;
    const changes = this.changes.steps.length > 0 && { changes: this.changes };
    return { picture: this.source, mask: history, blank: this.blank, ...this.#rest, ...(several && { masks: list }), ...changes };
  }

  /** Opens a step; the others stay as they are. */
  open({ picture, mask, masks, blank, changes = NO_CHANGES, ...rest }: Sheet): void {
    this.changes = changes;
    this.#rest = rest;
    this.source = picture;
    this.blank = blank;
    this.mask.begin(picture, masks ?? { masks: [{ name: '', history: mask }], active: 0 });
  }

  /** Puts all steps there. */
  place({ sheets, open }: Steps): void {
    const sheet = sheets[open];
    if (!sheet) return;
    this.history.past = sheets.slice(0, open);
    this.history.future = sheets.slice(open + 1);
    this.open(sheet);
  }

  /** The step that a result becomes. `apart` is what it was held to where that was not the document's own mask, which then stays. */
  stepOf({ info, pixels, request, candidate, map }: ShownResult, apart?: MaskHistory): Sheet {
    const { seed, tokens } = candidate;
    const masks = apart ? this.mask.list : carriedOn(this.mask.list);
    const before = this.source?.info.id;
    return {
      picture: { info, pixels },
      mask: activeMask(masks).history,
      blank: false,
      recipe: { request, seed, tokens },
      ...(masks !== ONE_MASK && { masks }),
      ...(apart ? { held: apart } : this.#heldTo(request.task)),
      ...(before !== undefined && { change: { before, after: info.id } }),
      ...(map && { map }),
    };
  }

  #heldTo(task: ShownResult['request']['task']): Pick<Sheet, 'held' | 'copied'> {
    const copied = sourcesOf(this.mask.list);
    return {
      ...(this.mask.masked && task !== 'expand' && { held: this.mask.repaint }),
      ...(copied && task !== 'generate' && { copied }),
    };
  }

  /** A step follows the open one and is opened; those behind it are not touched. */
  follow(sheet: Sheet): void {
    this.history.past = [...this.history.past, this.sheet()];
    this.open(sheet);
  }

  get canUndo(): boolean {
    return this.history.past.length > 0 || this.changes.length > 0 || this.history.undoable(this.steps) !== undefined;
  }

  get canRedo(): boolean {
    return this.history.future.length > 0 || this.canRedoChange || this.history.redoable(this.steps) !== undefined;
  }

  get canRedoChange(): boolean {
    return this.changes.length < this.changes.steps.length;
  }

  addChange(change: Change): void {
    if (this.source) this.changes = withChange(this.changes, change);
  }

  /** Takes back the last change of the steps or the panels, step of the mask, or kept result. Says whether another step is open now. */
  undo(): boolean {
    if (!this.source) return false;
    const steps = this.history.undo(this.steps);
    if (!steps && this.#undoHere()) return false;
    return this.#goTo(steps ?? { sheets: this.sheets, open: this.step - 1 });
  }

  /** The last change, or step of the mask, whichever came later. */
  #undoHere(): boolean {
    const { steps, length } = this.changes;
    const last = steps[length - 1];
    if (last && (!this.mask.canUndo || last.mask >= this.mask.history.length)) {
      this.changes = { steps, length: length - 1 };
      this.#onturn(last, 'was');
    } else if (this.mask.canUndo) this.mask.undo();
    else return false;
    return true;
  }

  redo(): boolean {
    if (!this.source) return false;
    const steps = this.history.redo(this.steps);
    if (!steps && this.#redoHere()) return false;
    return this.#goTo(steps ?? { sheets: this.sheets, open: this.step + 1 });
  }

  #redoHere(): boolean {
    const next = this.changes.steps[this.changes.length];
    if (next && (!this.mask.canRedo || next.mask <= this.mask.history.length)) this.redoChange();
    else if (this.mask.canRedo) this.mask.redo();
    else return false;
    return true;
  }

  redoChange(): void {
    const { steps, length } = this.changes;
    const next = steps[length];
    if (!next) return;
    this.changes = { steps, length: length + 1 };
    this.#onturn(next, 'is');
  }

  #goTo(steps: Steps): boolean {
    this.place(steps);
    return steps.sheets[steps.open] !== undefined;
  }

  /** How the open picture came about. */
  get recipe(): Sheet['recipe'] {
    return this.#rest.recipe;
  }

  /** Other masks, or another of them to paint on; can be undone as one step. */
  takeMasks(list: MaskList): void {
    const before = this.steps;
    this.mask.take(list);
    this.record(before);
  }

  /** Remembers a change that has led from there to here. */
  record(before: Steps): void {
    this.#free(this.history.record({ before, after: this.steps }));
  }

  /** What is behind an earlier step does not follow from a changed one. */
  dropFuture(): void {
    this.#free(this.history.takeFuture());
  }

  /** Whether a step was held to this control map. */
  holdsMap(id: PictureId): boolean {
    return [...this.history.all, ...this.sheets].some(({ map }) => map?.id === id);
  }

  /** Takes everything off the table. */
  clear(): void {
    const gone = [...this.history.takeAll(), ...(this.source ? [this.sheet()] : [])];
    this.source = undefined;
    this.#rest = {};
    this.changes = NO_CHANGES;
    this.#free(gone);
  }

  #free(gone: readonly Sheet[]): void {
    const { pictures, ids } = unusedOf(gone, [...this.history.all, ...(this.source ? [this.sheet()] : [])]);
    for (const { pixels } of pictures) pixels.close();
    this.#pictures.forget(...ids);
  }
}

/** A picture that was just opened. */
export function newSheet(picture: ShownPicture, blank: boolean): Sheet {
  const { recipe } = picture.info;
  const { request, seed, tokens } = recipe ?? {};
  return {
    picture,
    mask: EMPTY_MASK,
    blank,
    ...(request && seed !== undefined && tokens && { recipe: { request, seed, tokens } }),
  };
}
