import { describe, expect, test } from 'vitest';
import type { MaskHistory } from '#contract/mask.js';
import {
  activeMask,
  added,
  carriedOn,
  chosen,
  heldTo,
  ONE_MASK,
  removed,
  renamed,
  repaintIndex,
  sourcesOf,
  usedFor,
  withHistory,
} from '#document/mask-list.js';

const PAINTED: MaskHistory = { steps: [{ kind: 'invert' }], length: 1 };

describe('the masks of a picture', () => {
  test('are added, named, chosen, duplicated and removed, and there is always one', () => {
    const sky = renamed(withHistory(ONE_MASK, PAINTED), ' sky ');
    const two = added(sky);
    expect([two.active, activeMask(two).history.length]).toEqual([1, 0]);
    const back = chosen(two, 0);
    expect(activeMask(back)).toEqual({ name: 'sky', history: PAINTED });
    expect(chosen(back, 7)).toBe(back);
    expect(added(back, activeMask(back)).masks.map(({ name }) => name)).toEqual(['sky', '', 'sky']);
    expect(removed(two).masks).toEqual(sky.masks);
    expect(removed(sky)).toEqual(ONE_MASK);
  });

  test('go along to the next step where there are several, and an empty one is open', () => {
    const one = withHistory(ONE_MASK, PAINTED);
    expect(carriedOn(one)).toBe(ONE_MASK);
    expect(carriedOn(added(one, { name: 'car', history: PAINTED }))).toMatchObject({
      active: 2,
      masks: [{}, { name: 'car' }, { name: '' }],
    });
    expect(carriedOn(chosen(added(one), 0))).toMatchObject({ active: 1, masks: [{ history: PAINTED }, {}] });
  });

  test('one at most speaks of the pixels that detail is copied from, and what is repainted stays beside it', () => {
    const two = added(withHistory(ONE_MASK, PAINTED));
    expect(sourcesOf(usedFor(two, 'avoid'))).toBeUndefined();
    const avoiding = withHistory(usedFor(two, 'avoid'), PAINTED);
    expect(sourcesOf(avoiding)).toEqual({ use: 'avoid', history: PAINTED });
    expect([repaintIndex(avoiding), repaintIndex(chosen(avoiding, 0))]).toEqual([0, 0]);
    expect(repaintIndex(usedFor(ONE_MASK, 'only'))).toBe(-1);
    const other = withHistory(usedFor(added(avoiding), 'only'), PAINTED);
    expect(other.masks.map(({ use }) => use)).toEqual([undefined, undefined, 'only']);
    expect(usedFor(other, undefined).masks.some(({ use }) => use !== undefined)).toBe(false);
  });

  test('sources go along to the next step, which is never painted on them', () => {
    const alone = withHistory(usedFor(ONE_MASK, 'avoid'), PAINTED);
    expect(carriedOn(alone)).toMatchObject({ active: 1, masks: [{ use: 'avoid' }, { name: '' }] });
    expect(activeMask(carriedOn(added(usedFor(ONE_MASK, 'only'), { name: 'sky', history: PAINTED }))).use).toBeUndefined();
  });

  test('a step that is run again is held to its own mask and its own sources', () => {
    const held = { steps: [{ kind: 'clear' }], length: 1 } as const;
    const list = withHistory(usedFor(added(withHistory(ONE_MASK, PAINTED)), 'avoid'), PAINTED);
    expect(heldTo(list, held, undefined)).toEqual({ active: 0, masks: [{ name: '', history: held }] });
    expect(heldTo(list, held, { use: 'only', history: PAINTED })).toMatchObject({
      active: 0,
      masks: [{ history: held }, { use: 'only', history: PAINTED }],
    });
    expect(heldTo(usedFor(ONE_MASK, 'only'), held, undefined)).toEqual({ active: 0, masks: [{ name: '', history: held }] });
  });
});
