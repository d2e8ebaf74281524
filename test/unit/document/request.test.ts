import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EditRequest } from '#contract/request.js';
import { DEFAULT_SETTINGS, requestOf, verbOf, type Settings } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';

const WIDE = { ...NO_MARGINS, right: 40 };
const PICTURES = { source: 'photo-1', mask: undefined };

function settings(change: Partial<Settings>): Settings {
  return { ...DEFAULT_SETTINGS, ...change };
}

describe('the verb of the one button', () => {
  test.each([
    ['edit', 'words alone', 'make it night', NO_MARGINS, false],
    ['edit', 'words and a mask', 'make it night', NO_MARGINS, true],
    ['fill', 'a mask alone', '', NO_MARGINS, true],
    ['fill', 'a mask and blanks', '  \n', NO_MARGINS, true],
    ['edit', 'nothing at all', '', NO_MARGINS, false],
    ['expand', 'a border', '', WIDE, false],
    ['expand', 'a border, words and a mask', 'grass', WIDE, true],
  ] as const)('is %s for %s', (verb, _, instruction, margins, masked) => {
    expect(verbOf({ instruction, margins }, masked)).toBe(verb);
  });
});

describe('the request', () => {
  test('of untouched settings leaves to the pack what is the pack’s', () => {
    const request = requestOf(settings({ instruction: 'make it night' }), PICTURES);
    for (const name of ['guidance', 'temperature', 'control', 'mask', 'margins']) expect(request).not.toHaveProperty(name);
  });

  test('carries every setting that was chosen', () => {
    const chosen = settings({
      instruction: 'make it night',
      preset: 'draft',
      control: { kind: 'depth', strength: 0.4 },
      pack: 'other',
      provider: 'cpu',
      seed: 7,
      guidance: 2,
      temperature: 0,
      structure: 3,
    });
    expect(requestOf(chosen, { source: 'photo-1', mask: 'mask-1' })).toEqual({
      task: 'edit',
      pack: 'other',
      source: 'photo-1',
      mask: 'mask-1',
      instruction: 'make it night',
      preset: 'draft',
      provider: 'cpu',
      control: { kind: 'depth', strength: 0.4 },
      seed: 7,
      guidance: 2,
      temperature: 0,
      structure: 3,
    });
  });

  test('to expand takes the border and leaves the mask behind', () => {
    const request = requestOf(settings({ margins: WIDE }), { source: 'photo-1', mask: 'mask-1' });
    expect(request).toMatchObject({ task: 'expand', margins: WIDE });
    expect(request).not.toHaveProperty('mask');
  });

  test.each([settings({ instruction: 'x' }), settings({ margins: WIDE }), settings({ guidance: 30, temperature: 10, structure: 64 })])(
    'is one that the contract accepts',
    (wish) => {
      expect(v.safeParse(EditRequest, requestOf(wish, PICTURES)).success).toBe(true);
    },
  );
});
