import type { Recipe } from '#contract/recipe.js';
import type { Candidate } from '#contract/event.js';
import type { EditRequestInput, Margins, PictureId } from '#contract/request.js';
import type { Framing } from '#contract/framing.js';
import type { HeldSources, MaskHistory, MaskList } from '#contract/mask.js';
import { NO_CHANGES, type Changes } from '#document/changes.js';
import type { Settings } from '#document/request.js';
import type { ShownPicture } from './pictures.js';

/** How a result is looked at: as it is, beside the original, by how much it changed, or where. */
export type Look = 'result' | 'split' | 'difference' | 'changed';

export type Phase = 'empty' | 'ready' | 'running' | 'done' | 'failed';

export interface ShownResult extends ShownPicture {
  readonly candidate: Candidate<PictureId>;
  /** The wish that it answers. */
  readonly request: Recipe['request'];
  /** The border that it has beyond the source. */
  readonly margins: Margins;
  readonly totalMs: number;
  /** The control map of one's own that it was held to. */
  readonly map?: OwnMap | undefined;
}

type OwnMap = NonNullable<Settings['control']['map']>;

/** A picture with the mask on it: what undoing a kept result returns to. */
export interface Sheet {
  readonly picture: ShownPicture;
  readonly mask: MaskHistory;
  /** Nothing was ever on it. */
  readonly blank: boolean;
  /** All masks, where there are several; the active one is `mask`. */
  readonly masks?: MaskList | undefined;
  /** What was changed in the panels while it was open. */
  readonly changes?: Changes | undefined;
  /** How it came about; absent for a picture that was opened. */
  readonly recipe?: Recipe | undefined;
  /** The mask that the wish was held to. */
  readonly held?: MaskHistory | undefined;
  /** What detail was not to be copied from then, or all that it was. */
  readonly copied?: HeldSources | undefined;
  /** The control map of one's own that the wish was held to. */
  readonly map?: OwnMap | undefined;
  /** The run itself: what it was given and what it made, whatever has become of the steps before it. */
  readonly change?: { readonly before: PictureId; readonly after: PictureId } | undefined;
  /** It turned, straightened or cut the picture, and did nothing else. */
  readonly framing?: Framing | undefined;
  /** How strongly it lies over the step before, 0..1; absent = in full. */
  readonly opacity?: number | undefined;
  /** Left out: the picture is that of the step before. */
  readonly hidden?: boolean | undefined;
  /** A step that it builds on has changed since. */
  readonly stale?: boolean | undefined;
}

/** All steps, and which of them is open. */
export interface Steps {
  readonly sheets: readonly Sheet[];
  readonly open: number;
}

/** A change of the steps that can be undone and redone. */
export interface UndoEntry {
  readonly before: Steps;
  readonly after: Steps;
}

/** Is there no difference to be seen, undone or redone? */
export function sameSheet(a: Sheet, b: Sheet): boolean {
  return alike(a, b, (one, other) => one.steps === other.steps && one.length === other.length);
}

/** Is there no difference to be seen or undone? What could be redone does not matter. */
export function standsAs(a: Sheet, b: Sheet): boolean {
  return alike(a, b, (one, other) => one.length === other.length && one.steps.slice(0, one.length).every((step, i) => sameValue(step, other.steps[i]))); // prettier-ignore
}

interface Past {
  readonly steps: readonly unknown[];
  readonly length: number;
}
type SamePast = (a: Past, b: Past) => boolean;

function alike(a: Sheet, b: Sheet, same: SamePast): boolean {
  return (
    a.picture === b.picture &&
    same(a.mask, b.mask) &&
    same(a.changes ?? NO_CHANGES, b.changes ?? NO_CHANGES) &&
    sameMasks(a.masks, b.masks, same) &&
    a.recipe === b.recipe &&
    a.opacity === b.opacity &&
    sameValue(a.framing, b.framing) &&
    !a.hidden === !b.hidden &&
    !a.stale === !b.stale
  );
}

function sameMasks(a: MaskList | undefined, b: MaskList | undefined, same: SamePast): boolean {
  const [masks, others] = [a?.masks ?? [], b?.masks ?? []];
  const all = masks.every(
    ({ name, use, history }, i) => name === others[i]?.name && use === others[i].use && same(history, others[i].history),
  );
  return all && masks.length === others.length && a?.active === b?.active;
}

/** After a restart, equal steps are not the same ones. */
function sameValue(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** A run that does not begin or end as the settings say: it goes on from tokens, branches off, or stops early. */
export type Detour = Pick<
  EditRequestInput,
  'resume' | 'redraw' | 'stopAtScale' | 'stopAtDetail' | 'detailSeeds' | 'seed' | 'count' | 'temperature'
>;
