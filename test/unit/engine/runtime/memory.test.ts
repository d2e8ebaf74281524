import { expect, test } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { assertFits, availableBytes, peakRssBytes } from '#engine/runtime/memory.js';

const GIBIBYTE = 1024 ** 3;

test('what fits passes', () => {
  expect(() => {
    assertFits(GIBIBYTE, { lighterPreset: 'draft' }, 2 * GIBIBYTE);
  }).not.toThrow();
});

test('what does not fit is refused before it is taken, with a way out', () => {
  const refuse = () => {
    assertFits(3 * GIBIBYTE, { lighterPreset: 'draft' }, 2 * GIBIBYTE);
  };
  expect(refuse).toThrow(ExpectedError);
  expect(refuse).toThrow('This needs 3072 MB but only 2048 MB is free; try the preset "draft".');
});

test('this machine has some memory, and this process has used some', () => {
  expect(availableBytes()).toBeGreaterThan(0);
  expect(peakRssBytes()).toBeGreaterThan(10 * 1024 * 1024);
});
