import type { Recipe } from '#contract/project.js';
import type { Candidate } from '#contract/event.js';
import type { EditRequestInput, Margins, PictureId } from '#contract/request.js';
import type { MaskHistory } from '#contract/mask.js';
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
  /** How it came about; absent for a picture that was opened. */
  readonly recipe?: Recipe | undefined;
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
