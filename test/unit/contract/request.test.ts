import * as v from 'valibot';
import { expect, test } from 'vitest';
import { EditRequest } from '#contract/request.js';

const temperatureOf = (temperature: unknown) => v.parse(EditRequest, { task: 'generate', temperature }).temperature;

test('a level curve of temperatures is one temperature: equal pictures have equal requests', () => {
  expect(temperatureOf([0.5, 0.5, 0.5])).toBe(0.5);
  expect(temperatureOf([0])).toBe(0);
  expect(temperatureOf([1, 0.5])).toEqual([1, 0.5]);
  expect(temperatureOf(0.8)).toBe(0.8);
});

test.each([[[]], [[1, 11]], [[-1]], [['hot']], ['1,2'], [Array.from({ length: 65 }, () => 1)]])(
  'refuses %j as a temperature',
  (temperature) => {
    const { issues } = v.safeParse(EditRequest, { task: 'generate', temperature });
    expect(issues?.[0].message).toMatch(/^Expected .*temperature\.$/u);
  },
);
