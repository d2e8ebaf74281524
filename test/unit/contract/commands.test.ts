import { expect, test } from 'vitest';
import { acceleratorOf, COMMANDS, isCommand } from '#contract/commands.js';

const NOTHING = { ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };

test.each([
  [{ key: 'o', ctrlKey: true }, 'CmdOrCtrl+O'],
  [{ key: 'z', metaKey: true }, 'CmdOrCtrl+Z'],
  [{ key: 'Z', ctrlKey: true, shiftKey: true }, 'CmdOrCtrl+Shift+Z'],
  [{ key: '+', ctrlKey: true, shiftKey: true }, 'CmdOrCtrl+Plus'],
  [{ key: '=', ctrlKey: true }, 'CmdOrCtrl+Plus'],
  [{ key: 'F1' }, 'F1'],
  [{ key: 'o', ctrlKey: true, altKey: true }, undefined],
])('%j is %s', (event, accelerator) => {
  expect(acceleratorOf({ ...NOTHING, ...event })).toBe(accelerator);
});

test('no two commands share an accelerator, and names are told from other words', () => {
  const accelerators = Object.values(COMMANDS).flatMap(({ accelerator }) => accelerator ?? []);
  expect(new Set(accelerators).size).toBe(accelerators.length);
  expect(isCommand('open')).toBe(true);
  expect(isCommand('toString')).toBe(false);
});
