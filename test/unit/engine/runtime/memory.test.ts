import { expect, test } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { assertFits, availableBytes, memoryLimitBytes, peakRssBytes, spareBytes } from '#engine/runtime/memory.js';

const MEBIBYTE = 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

test('what fits passes', () => {
  expect(() => {
    assertFits(GIBIBYTE, GIBIBYTE);
  }).not.toThrow();
});

test('what does not fit is refused before it is taken', () => {
  const refuse = () => {
    assertFits(3 * GIBIBYTE, 2 * GIBIBYTE);
  };
  expect(refuse).toThrow(ExpectedError);
  expect(refuse).toThrow('This needs 3072 MB of memory but there are only 2048 MB for it.');
});

test('the system keeps some of what is free', () => {
  expect(spareBytes(GIBIBYTE)).toBe(768 * MEBIBYTE);
  expect(spareBytes(MEBIBYTE)).toBe(0);
});

test.each([
  ['', Number.POSITIVE_INFINITY],
  ['1500MB', 1500 * MEBIBYTE],
  ['2 GB', 2 * GIBIBYTE],
  ['0.5GB', 512 * MEBIBYTE],
])('the limit %j is %d bytes', (text, bytes) => {
  expect(memoryLimitBytes({ SCALEBRUSH_MEMORY_LIMIT: text })).toBe(bytes);
});

test.each(['2', 'much', '-1GB', '2gb', '1e9MB'])('%j is no limit', (text) => {
  const parse = () => memoryLimitBytes({ SCALEBRUSH_MEMORY_LIMIT: text });
  expect(parse).toThrow(`Expected a size like 1500MB or 2GB for SCALEBRUSH_MEMORY_LIMIT but received ${JSON.stringify(text)}.`);
});

test('this machine has some memory, and this process has used some', () => {
  expect(availableBytes()).toBeGreaterThan(0);
  expect(peakRssBytes()).toBeGreaterThan(10 * 1024 * 1024);
});
