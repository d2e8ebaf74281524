import { describe, expect, it } from 'vitest';

import { halfToNumber, widen, widenBfloat, widenHalf } from '#engine/weights/floats.js';

describe('half precision', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0x3c01, 1 + 2 ** -10],
    [0xbc00, -1],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x7bff, 65504],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
  ])('reads the bits %i as %d', (bits, value) => {
    expect(halfToNumber(bits)).toBe(value);
    expect(widenHalf(Uint16Array.of(bits))[0]).toBe(value);
  });
});

describe('widen', () => {
  it('takes a bfloat16 as the upper half of a float32', () => {
    expect([...widenBfloat(Uint16Array.of(0x3f80, 0x8000, 0x7f80, 0x0001))]).toEqual([1, -0, Infinity, 2 ** -133]);
  });

  it('copes with bytes at odd addresses and leaves them alone', () => {
    const bytes = Buffer.from([9, 0, 0, 0x80, 0x3f]).subarray(1);
    const floats = widen('float32', bytes);
    expect([...(floats ?? [])]).toEqual([1]);
    floats?.fill(0);
    expect([...bytes]).toEqual([0, 0, 0x80, 0x3f]);
  });

  it('has no floats in integers', () => {
    expect(widen('int64', Buffer.alloc(8))).toBeUndefined();
    expect(widen('bool', Buffer.alloc(1))).toBeUndefined();
  });
});
