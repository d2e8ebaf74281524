import { expect, test } from 'vitest';
import { lackOf, tooLittleMemory, type Forecast } from '#contract/forecast.js';

const MEBIBYTE = 1024 ** 2;
const cost = (megabytes: number) => ({ ms: 1, bytes: megabytes * MEBIBYTE, layers: 1 });
const forecastWith = (megabytes: number): Forecast => ({
  best: cost(400),
  balanced: cost(300),
  fast: cost(200),
  draft: cost(100),
  availableBytes: megabytes * MEBIBYTE,
});

test('what fits exactly lacks nothing', () => {
  expect(lackOf(forecastWith(300), 'balanced')).toBeUndefined();
});

test('the heaviest lighter preset that fits is named', () => {
  expect(lackOf(forecastWith(250), 'best')).toEqual({ neededBytes: 400 * MEBIBYTE, availableBytes: 250 * MEBIBYTE, preset: 'fast' });
});

test('where none fits, none is named', () => {
  expect(lackOf(forecastWith(99), 'fast')).toEqual({ neededBytes: 200 * MEBIBYTE, availableBytes: 99 * MEBIBYTE });
});

test('the refusal says the same, and never twice the same number', () => {
  const error = tooLittleMemory({ neededBytes: 100.2 * MEBIBYTE, availableBytes: 100.1 * MEBIBYTE, preset: 'draft' });
  expect(error.code).toBe('memory.too-little');
  expect(error.message).toBe('This needs 101 MB of memory but there are only 100 MB for it; try the preset "draft".');
  expect(error.details).toMatchObject({ preset: 'draft' });
});
