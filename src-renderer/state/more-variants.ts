import type { ShownResult } from './sheets.js';

/** Whoever waits no longer than this for variants was not kept waiting. */
const ROOM_MS = 1000;
/** As many as are told apart at a glance, the first among them. */
const MOST_AT_ONCE = 4;

/** How many more pictures of a wish are drawn in a second; none of one that has but one answer. */
export function moreThatFit({ totalMs, candidate }: Pick<ShownResult, 'totalMs' | 'candidate'>): number {
  if (candidate.onlyAnswer || candidate.changedPixels === 0) return 0;
  return Math.min(MOST_AT_ONCE - 1, Math.floor(ROOM_MS / Math.max(1, totalMs)));
}
