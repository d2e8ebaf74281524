import { sameExtent, type Extent } from '#base/geometry.js';
import type { MaskHistory } from '#contract/mask.js';
import { standsAs, type Deed, type Sheet, type Steps } from './sheets.js';

/** As many as a project's file can hold with all that they name. */
const MOST_DEEDS = 500;

/** The sheets that were kept before the open one, those that undoing has left behind it, and deeds on them. */
export class History {
  past = $state.raw<readonly Sheet[]>([]);
  future = $state.raw<readonly Sheet[]>([]);
  done = $state.raw<readonly Deed[]>([]);
  undone = $state.raw<readonly Deed[]>([]);

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

  /** Remembers a deed; what was undone before it cannot be redone. Says what nobody can come back to. */
  record(deed: Deed): readonly Sheet[] {
    const gone = sheetsOf([...this.undone, ...this.done.slice(0, 1 - MOST_DEEDS)]);
    this.done = [...this.done.slice(1 - MOST_DEEDS), deed];
    this.undone = [];
    return gone;
  }

  /** The last deed, where nothing else was done since. */
  undoable(now: Steps): Deed | undefined {
    const deed = this.done.at(-1);
    return deed && stands(deed.after, now) ? deed : undefined;
  }

  redoable(now: Steps): Deed | undefined {
    const deed = this.undone.at(-1);
    return deed && stands(deed.before, now) ? deed : undefined;
  }

  /** What stood before the last deed. */
  undo(now: Steps): Steps | undefined {
    const deed = this.undoable(now);
    if (!deed) return undefined;
    this.done = this.done.slice(0, -1);
    this.undone = [...this.undone, { ...deed, after: now }];
    return deed.before;
  }

  redo(now: Steps): Steps | undefined {
    const deed = this.redoable(now);
    if (!deed) return undefined;
    this.undone = this.undone.slice(0, -1);
    this.done = [...this.done, { ...deed, before: now }];
    return deed.after;
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

function sheetsOf(deeds: readonly Deed[]): readonly Sheet[] {
  return deeds.flatMap(({ before, after }) => [...before.sheets, ...after.sheets]);
}
