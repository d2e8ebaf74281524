import type { PictureId } from '#contract/request.js';
import type { ShownPicture } from './pictures.js';
import type { Sheet } from './sheets.js';

export interface Unused {
  readonly pictures: readonly ShownPicture[];
  readonly ids: readonly PictureId[];
}

/** The pictures of sheets that are gone, as far as no other sheet needs them. */
export function unusedOf(gone: readonly Sheet[], kept: readonly Sheet[]): Unused {
  const needed = new Set(kept.flatMap(idsOf));
  const shown = new Set(kept.map(({ picture }) => picture));
  return {
    pictures: [...new Set(gone.map(({ picture }) => picture))].filter((picture) => !shown.has(picture)),
    ids: [...new Set(gone.flatMap(idsOf))].filter((id) => !needed.has(id)),
  };
}

/** Control maps are not among them: the panel may still hold one. */
function idsOf({ picture, change }: Sheet): readonly PictureId[] {
  return change ? [picture.info.id, change.before, change.after] : [picture.info.id];
}
