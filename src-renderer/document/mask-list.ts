import type { MaskHistory, MaskList, NamedMask } from '#contract/mask.js';
import { EMPTY_MASK } from './mask.js';

/** The masks of a picture: there is always one, and one is painted on. A mask without a name is called by its number. */
export const ONE_MASK: MaskList = { masks: [{ name: '', history: EMPTY_MASK }], active: 0 };

export function activeMask({ masks, active }: MaskList): NamedMask {
  return masks[active] ?? { name: '', history: EMPTY_MASK };
}

/** The same list after work on the active mask. */
export function withHistory({ masks, active }: MaskList, history: MaskHistory): MaskList {
  return { masks: masks.map((mask, i) => (i === active ? { ...mask, history } : mask)), active };
}

export function chosen(list: MaskList, active: number): MaskList {
  return list.masks[active] ? { ...list, active } : list;
}

/** Another mask, which is painted on from now on. */
export function added({ masks }: MaskList, mask: NamedMask = { name: '', history: EMPTY_MASK }): MaskList {
  return { masks: [...masks, mask], active: masks.length };
}

export function renamed({ masks, active }: MaskList, name: string): MaskList {
  return { masks: masks.map((mask, i) => (i === active ? { ...mask, name: name.trim() } : mask)), active };
}

/** Without the active mask; of one mask alone, an empty one is left. */
export function removed({ masks, active }: MaskList): MaskList {
  if (masks.length === 1) return ONE_MASK;
  return { masks: masks.filter((_, i) => i !== active), active: Math.max(0, active - 1) };
}

/** What goes along to the next step: a mask alone belongs to its step; of several all are kept, and an empty one is open. */
export function carriedOn(list: MaskList): MaskList {
  if (list.masks.length === 1) return ONE_MASK;
  const empty = list.masks.findIndex(({ history }) => history.length === 0);
  return empty < 0 ? added(list) : chosen(list, empty);
}
