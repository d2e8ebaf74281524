import { sameExtent, type Extent } from '#base/geometry.js';
import type { MaskHistory } from '#contract/mask.js';
import { standsAs, type UndoEntry, type Sheet, type Steps } from './sheets.js';

/** As many as a project's file can hold with all that they name. */
const MOST_ENTRIES = 500;

/** The sheets that were kept before the open one, those that undoing has left behind it, and what was done to them. */
export class StepHistory {
  past = $state.raw<readonly Sheet[]>([]);
  future = $state.raw<readonly Sheet[]>([]);
  done = $state.raw<readonly UndoEntry[]>([]);
  undone = $state.raw<readonly UndoEntry[]>([]);

  /** The last mask that was painted on a picture of this size. */
  lastMask(extent: Extent): MaskHistory | undefined {
    return this.past.findLast(({ mask, picture }) => mask.length > 0 && sameExtent(picture.info.size, extent))?.mask;
  }

  /** Forgets what could be redone, and says what that was. */
  takeFuture(): readonly Sheet[] {
    const gone = [...this.future, ...sheetsOf(this.undone)];
    this.future = [];
    this.undone = [];
    return gone;
  }

  /** Forgets everything, and says what that was. */
  takeAll(): readonly Sheet[] {
    const gone = this.all;
    this.past = [];
    this.future = [];
    this.done = [];
    this.undone = [];
    return gone;
  }

  /** Remembers a change; what was undone before it cannot be redone. Says what nobody can come back to. */
  record(entry: UndoEntry): readonly Sheet[] {
    const gone = sheetsOf([...this.undone, ...this.done.slice(0, 1 - MOST_ENTRIES)]);
    this.done = [...this.done.slice(1 - MOST_ENTRIES), entry];
    this.undone = [];
    return gone;
  }

  /** The last change of the steps, where nothing else was done since. */
  undoable(now: Steps): UndoEntry | undefined {
    const entry = this.done.at(-1);
    return entry && stands(entry.after, now) ? entry : undefined;
  }

  redoable(now: Steps): UndoEntry | undefined {
    const entry = this.undone.at(-1);
    return entry && stands(entry.before, now) ? entry : undefined;
  }

  /** What stood before the last change. */
  undo(now: Steps): Steps | undefined {
    const entry = this.undoable(now);
    if (!entry) return undefined;
    this.done = this.done.slice(0, -1);
    this.undone = [...this.undone, { ...entry, after: now }];
    return entry.before;
  }

  redo(now: Steps): Steps | undefined {
    const entry = this.redoable(now);
    if (!entry) return undefined;
    this.undone = this.undone.slice(0, -1);
    this.done = [...this.done, { ...entry, before: now }];
    return entry.after;
  }

  get all(): readonly Sheet[] {
    return [...this.past, ...this.future, ...sheetsOf(this.done), ...sheetsOf(this.undone)];
  }
}

/** Up to the open sheet nothing differs; what lies behind it does not matter, nor what was changed in the panels before it. */
function stands({ sheets, open }: Steps, now: Steps): boolean {
  const upTo = now.sheets.slice(0, now.open + 1);
  return (
    open === now.open &&
    upTo.every((sheet, i) => sheets[i] !== undefined && standsAs(sheet, i < open ? { ...sheets[i], changes: sheet.changes } : sheets[i]))
  );
}

function sheetsOf(entries: readonly UndoEntry[]): readonly Sheet[] {
  return entries.flatMap(({ before, after }) => [...before.sheets, ...after.sheets]);
}
