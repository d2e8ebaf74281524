import type { Recipe } from '#contract/recipe.js';
import type { Candidate } from '#contract/event.js';
import type { EditRequestInput, Margins, PictureId } from '#contract/request.js';
import type { MaskHistory, MaskList } from '#contract/mask.js';
import type { ShownPicture } from './pictures.js';
import type { StripContents } from './scale-strip.svelte.js';

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
}

/** A picture with the mask on it: what undoing a kept result returns to. */
export interface Sheet {
  readonly picture: ShownPicture;
  readonly mask: MaskHistory;
  /** Nothing was ever on it. */
  readonly blank: boolean;
  /** All masks, where there are several; the active one is `mask`. */
  readonly masks?: MaskList | undefined;
  /** How it came about; absent for a picture that was opened. */
  readonly recipe?: Recipe | undefined;
  /** The mask that the wish was held to. */
  readonly held?: MaskHistory | undefined;
  /** The run itself: what it was given and what it made, whatever has become of the steps before it. */
  readonly change?: { readonly before: PictureId; readonly after: PictureId } | undefined;
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

/** A deed on the steps that can be undone and redone. */
export interface Deed {
  readonly before: Steps;
  readonly after: Steps;
}

/** Is there no difference to be seen or undone? */
export function sameSheet(a: Sheet, b: Sheet): boolean {
  const sameMask = a.mask.steps === b.mask.steps && a.mask.length === b.mask.length;
  return (
    a.picture === b.picture &&
    sameMask &&
    sameMasks(a.masks, b.masks) &&
    a.recipe === b.recipe &&
    !a.hidden === !b.hidden &&
    !a.stale === !b.stale
  );
}

function sameMasks(a: MaskList | undefined, b: MaskList | undefined): boolean {
  const [masks, others] = [a?.masks ?? [], b?.masks ?? []];
  const same = masks.every(({ name, history }, i) => name === others[i]?.name && history.steps === others[i].history.steps);
  return same && masks.length === others.length && a?.active === b?.active;
}

/** A run that does not begin or end as the settings say: it goes on from tokens, branches off, or stops early. */
export type Detour = Pick<EditRequestInput, 'resume' | 'stopAtScale' | 'seed' | 'count' | 'temperature'>;

export interface Running {
  readonly controller: AbortController;
  readonly margins: Margins;
  readonly detour: Detour;
  /** What the strip showed, in case the run comes to nothing. */
  readonly strip: StripContents;
  readonly ended: Promise<void>;
}
