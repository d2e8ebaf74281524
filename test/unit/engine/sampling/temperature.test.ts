import { expect, test } from 'vitest';
import { temperaturePerScale } from '#engine/sampling/temperature.js';

test.each([
  { name: 'one for all', wished: 0.7, scales: 3, expected: [0.7, 0.7, 0.7] },
  { name: 'one per scale', wished: [1, 0.5, 0.1], scales: 3, expected: [1, 0.5, 0.1] },
  { name: 'straight between two ends', wished: [1, 0], scales: 5, expected: [1, 0.75, 0.5, 0.25, 0] },
  { name: 'a curve with more values than scales', wished: [2, 9, 1, 9, 0], scales: 3, expected: [2, 1, 0] },
  { name: 'the start of a curve where there is one scale', wished: [1, 0], scales: 1, expected: [1] },
])('the temperature of every scale: $name', ({ wished, scales, expected }) => {
  expect(temperaturePerScale(wished, scales)).toEqual(expected);
});

test('a curve that stays level is that temperature exactly', () => {
  expect(temperaturePerScale([0.3, 0.3, 0.3, 0.3], 7)).toEqual(Array.from({ length: 7 }, () => 0.3));
});
