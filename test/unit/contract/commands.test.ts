import { expect, test } from 'vitest';
import { COMMANDS, isCommand } from '#contract/commands.js';

test('no two commands share an accelerator, and names are told from other words', () => {
  const accelerators = Object.values(COMMANDS).flatMap(({ accelerator }) => accelerator ?? []);
  expect(new Set(accelerators).size).toBe(accelerators.length);
  expect(isCommand('open')).toBe(true);
  expect(isCommand('toString')).toBe(false);
});
