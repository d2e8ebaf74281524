import * as v from 'valibot';
import { expect, test } from 'vitest';
import { EditRequest, redrawOf } from '#contract/request.js';

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

const issueOf = (redraw: unknown) => v.safeParse(EditRequest, { task: 'generate', redraw }).issues?.[0].message;

test('a re-roll is of a scale, and of more than nothing of it', () => {
  for (const redraw of [
    { scale: 1, share: 1 },
    { scale: 64, share: 0.001, seed: 7 },
  ])
    expect(issueOf(redraw)).toBeUndefined();
  for (const share of [0, -0.1, 1.01, Number.NaN, '0.5']) {
    expect(issueOf({ scale: 2, share })).toBe('Expected a number above 0 and up to 1 for share.');
  }
  expect(issueOf({ scale: 0, share: 1 })).toBe('Expected a whole number from 1 to 64 for scale.');
  expect(issueOf({ scale: 2, share: 1, seed: -1 })).toMatch(/for seed\.$/u);
});

test('candidates of a re-roll count on from its seed, or from that of the run', () => {
  expect(redrawOf({ seed: 4 }, 1)).toBeUndefined();
  expect(redrawOf({ seed: 4, redraw: { scale: 2, share: 0.5 } }, 1)).toEqual({ scale: 2, share: 0.5, seed: 5 });
  expect(redrawOf({ seed: 4, redraw: { scale: 2, share: 0.5, seed: 0xffff_ffff } }, 2)).toMatchObject({ seed: 1 });
});
