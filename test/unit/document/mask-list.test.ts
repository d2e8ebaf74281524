import { describe, expect, test } from 'vitest';
import type { MaskHistory } from '#contract/mask.js';
import { activeMask, added, carriedOn, chosen, ONE_MASK, removed, renamed, withHistory } from '#document/mask-list.js';

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
});
