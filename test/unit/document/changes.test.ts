import { describe, expect, test } from 'vitest';
import { changeBetween, NO_CHANGES, settled, turned, withChange, type Change } from '#document/changes.js';
import { DEFAULT_SETTINGS, type Settings } from '#document/request.js';

const settings = (part: Partial<Settings>): Settings => ({ ...DEFAULT_SETTINGS, ...part });

/** As it is after a journal or a file. */
const stored = (change: Change | undefined) => JSON.parse(JSON.stringify(change)) as Change;

describe('a change', () => {
  test('holds what differs, as it was and as it is', () => {
    const change = changeBetween(settings({ seed: 1 }), settings({ seed: 2 }), 3);
    expect(change).toEqual({ was: { seed: 1 }, is: { seed: 2 }, mask: 3 });
  });

  test('of nothing is none', () => {
    expect(changeBetween(settings({}), settings({ control: { ...DEFAULT_SETTINGS.control } }), 0)).toBeUndefined();
  });

  test('does not hold a map of one’s own', () => {
    const control = { ...DEFAULT_SETTINGS.control, map: { id: 'a', name: 'a.png' } };
    expect(changeBetween(settings({}), settings({ control }), 0)).toBeUndefined();
  });

  test('is taken back and up again, and leaves everything else', () => {
    const change = stored(changeBetween(settings({ guidance: undefined }), settings({ guidance: 3 }), 0));
    const now = settings({ guidance: 3, seed: 9 });
    expect(turned(now, change, 'was')).toEqual(settings({ seed: 9 }));
    expect(turned(turned(now, change, 'was'), change, 'is')).toEqual(now);
  });

  test('of the control leaves the map that is there', () => {
    const held = { ...DEFAULT_SETTINGS.control, kind: 'canny', toScale: 4 } as const;
    const change = stored(changeBetween(settings({}), settings({ control: held }), 0));
    const map = { id: 'a', name: 'a.png' };
    const back = turned(settings({ control: { ...held, map } }), change, 'was');
    expect(back.control).toEqual({ ...DEFAULT_SETTINGS.control, map });
  });
});

describe('changes', () => {
  const [a, b] = [1, 2].map((seed) => ({ was: { seed: 0 }, is: { seed }, mask: 0 }));

  test('end with the new one: what could be redone is gone', () => {
    const both = withChange(withChange(NO_CHANGES, a!), b!);
    expect(withChange({ ...both, length: 1 }, a!)).toEqual({ steps: [a, a], length: 2 });
  });

  test('are settled as they are where nothing can be redone', () => {
    const both = withChange(withChange(NO_CHANGES, a!), b!);
    expect(settled(both)).toBe(both);
    expect(settled({ ...both, length: 1 })).toEqual({ steps: [a], length: 1 });
  });
});
