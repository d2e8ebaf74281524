import { describe, expect, it } from 'vitest';

import { halfToNumber, narrowToHalf, widen, widenBfloat, widenHalf } from '#engine/weights/floats.js';

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

describe('narrowing to half precision', () => {
  it('gives back every half that was widened', () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter((half) => (half & 0x7c00) !== 0x7c00 || (half & 0x3ff) === 0);
    expect(narrowToHalf(widenHalf(bits))).toEqual(bits);
  });

  it.each([
    ['to the nearest', 1 + 2 ** -11 + 2 ** -20, 0x3c01],
    ['ties to even, downwards', 1 + 2 ** -11, 0x3c00],
    ['ties to even, upwards', 1 + 3 * 2 ** -11, 0x3c02],
    ['across an exponent', 2 - 2 ** -12, 0x4000],
    ['subnormals to even', 2.5 * 2 ** -24, 0x0002],
    ['the smallest away', 2 ** -26, 0x0000],
    ['up to the largest', -65_519, 0xfbff],
    ['NaN as NaN', Number.NaN, 0x7e00],
  ])('rounds %s', (_, value, bits) => {
    expect(narrowToHalf(Float32Array.of(value))?.[0]).toBe(bits);
  });

  it('has no half for what is larger', () => {
    expect(narrowToHalf(Float32Array.of(1, 65_520))).toBeUndefined();
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
