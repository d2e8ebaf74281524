import type { HeldSources, MaskHistory, MaskList, NamedMask, SourceUse } from '#contract/mask.js';
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

/** What the active mask is for; one mask at most speaks of sources. */
export function usedFor({ masks, active }: MaskList, use: SourceUse | undefined): MaskList {
  return {
    masks: masks.map((mask, i) => (i === active ? withUse(mask, use) : use === undefined ? mask : withUse(mask, undefined))),
    active,
  };
}

function withUse({ name, history }: NamedMask, use: SourceUse | undefined): NamedMask {
  return { name, history, ...(use && { use }) };
}

/** The number of the mask that says where to repaint: the active one, else the one before it or, failing that, behind it; -1 = none. */
export function repaintIndex({ masks, active }: MaskList): number {
  const repaints = ({ use }: NamedMask) => use === undefined;
  const before = masks.slice(0, active + 1).findLastIndex(repaints);
  return before < 0 ? masks.findIndex(repaints) : before;
}

/** What detail is not to be copied from, or all that it is; undefined where nothing is said. */
export function sourcesOf({ masks }: MaskList): HeldSources | undefined {
  const mask = masks.find(({ use, history }) => use !== undefined && history.length > 0);
  return mask?.use && { use: mask.use, history: mask.history };
}

/** The same list with a step's own mask to repaint, which is open, and its own sources. */
export function heldTo(list: MaskList, held: MaskHistory, sources: HeldSources | undefined): MaskList {
  const others = list.masks.filter(({ use }) => use === undefined);
  const active = Math.max(0, repaintIndex({ masks: others, active: Math.min(list.active, others.length - 1) }));
  const masks =
    others.length === 0 ? [{ name: '', history: held }] : others.map((mask, i) => (i === active ? { ...mask, history: held } : mask));
  return { masks: sources ? [...masks, { name: '', ...sources }] : masks, active };
}

/** What goes along to the next step: a mask alone belongs to its step; of several all are kept, and an empty one is open. */
export function carriedOn(list: MaskList): MaskList {
  if (list.masks.length === 1 && list.masks[0]?.use === undefined) return ONE_MASK;
  const empty = list.masks.findIndex(({ history, use }) => history.length === 0 && use === undefined);
  return empty < 0 ? added(list) : chosen(list, empty);
}
