import { describe, expect, it } from 'vitest';
import { endedAfter, guidancePerScale } from '#engine/sampling/guidance.js';

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
