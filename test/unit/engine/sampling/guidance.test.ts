import { describe, expect, it } from 'vitest';
import { endedAfter, guidanceOf, guidancePerScale } from '#engine/sampling/guidance.js';

describe('guidance over the scales', () => {
  it('is the same everywhere, or grows from none to all', () => {
    expect(guidancePerScale(3, 3, 'constant')).toEqual([3, 3, 3]);
    expect(guidancePerScale(3, 3, 'linear')).toEqual([1, 2, 3]);
  });

  it('ends behind the scale that the request or the card names', () => {
    expect(endedAfter([2, 3, 4], 2)).toEqual([2, 3, 1]);
    expect(endedAfter([2, 3, 4])).toEqual([2, 3, 4]);
    expect(endedAfter([2, 3, 4], 64)).toEqual([2, 3, 4]);
  });
});

describe('what guides a run', () => {
  const defaults = { guidance: 1, temperature: 0, topP: 1, topK: 0, guidanceRamp: 'constant', fillInstruction: '' } as const;

  it.each([
    ['the pack’s own guidance', { guidance: undefined }, { ...defaults, guidance: 3 }, true, { amount: 3, by: 'instruction' }],
    [
      'the control, where the pack is guided by one',
      { guidance: undefined },
      { ...defaults, controlGuidance: 2 },
      true,
      { amount: 2, by: 'control' },
    ],
    ['no control that is not there', { guidance: undefined }, { ...defaults, controlGuidance: 2 }, false, { amount: 1, by: 'instruction' }],
    ['what is asked for', { guidance: 4 }, { ...defaults, controlGuidance: 2 }, true, { amount: 4, by: 'instruction' }],
    ['nothing, where that is asked for', { guidance: 1 }, { ...defaults, controlGuidance: 2 }, true, { amount: 1, by: 'instruction' }],
  ] as const)('is %s', (_, request, card, isHeld, expected) => {
    expect(guidanceOf(request, card, isHeld)).toEqual(expected);
  });
});
