import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EditRequest } from '#contract/request.js';
import { DEFAULT_SETTINGS, requestOf, settingsOf, verbOf, type Settings } from '#document/request.js';
import { NO_MARGINS } from '#document/space.js';

const WIDE = { ...NO_MARGINS, right: 40 };
const SIZE = { width: 40, height: 30 };
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
    expect(verbOf({ instruction, margins }, { masked, anew: false })).toBe(verb);
  });
});

test('the verb is generate where nothing is to be kept', () => {
  expect(verbOf({ instruction: 'a car', margins: WIDE }, { masked: true, anew: true })).toBe('generate');
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
      control: {
        ...DEFAULT_SETTINGS.control,
        kind: 'depth',
        strength: 0.4,
        fromScale: 2,
        invert: true,
        map: { id: 'map-1', name: 'm.png' },
      },
      pack: 'other',
      provider: 'cpu',
      seed: 7,
      guidance: 2,
      temperature: 0,
      topP: 0.5,
      count: 4,
      whole: true,
      blend: 9,
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
      control: { kind: 'depth', strength: 0.4, fromScale: 2, low: 100, high: 200, blur: 0, near: 1, far: 0, invert: true, map: 'map-1' },
      seed: 7,
      guidance: 2,
      temperature: 0,
      topP: 0.5,
      count: 4,
      whole: true,
      blend: 9,
      structure: 3,
    });
  });

  test('how far the model leads the detail is said where it is not left to the pack, and comes back from a recipe', () => {
    const own = settings({ instruction: 'make it night', detail: 0.3 });
    expect(requestOf(own, PICTURES)).toMatchObject({ detail: 0.3 });
    expect(requestOf(settings({}), PICTURES)).not.toHaveProperty('detail');
    const copy = { mask: 'sources-1', only: true };
    expect(requestOf(own, { ...PICTURES, copy })).toMatchObject({ copy });
    const drawn = requestOf(own, { ...PICTURES, copy, anew: { size: { width: 64, height: 64 }, blank: true } });
    expect(Object.keys(drawn)).not.toEqual(expect.arrayContaining(['copy']));
    expect(settingsOf({ request: { task: 'fill', detail: 'off' }, seed: 1 } as never).detail).toBe('off');
    expect(settingsOf({ request: { task: 'fill' }, seed: 1 } as never).detail).toBe('auto');
  });

  test('asks for the white square only where the model sees a whole picture', () => {
    const padded = settings({ instruction: 'make it night', padded: true });
    expect(requestOf(padded, PICTURES)).toMatchObject({ task: 'edit', padded: true });
    expect(requestOf(padded, { ...PICTURES, mask: 'mask-1' })).not.toHaveProperty('padded');
    expect(requestOf({ ...padded, margins: { ...NO_MARGINS, left: 8 } }, PICTURES)).not.toHaveProperty('padded');
  });

  test.each([
    ['depth is estimated', { kind: 'depth' }, 'small-depth'],
    ['edges are looked for', { kind: 'canny' }, undefined],
    ['a map of one’s own is there', { kind: 'depth', map: { id: 'map-1', name: 'm.png' } }, undefined],
  ] as const)('names the pack that estimates depth where %s: %j', (_, part, expected) => {
    const wish = settings({ control: { ...DEFAULT_SETTINGS.control, estimator: 'small-depth', ...part } });
    expect(requestOf(wish, PICTURES).control?.estimator).toBe(expected);
  });

  test.each([
    ['an empty sheet', true, 'none', { size: SIZE }],
    ['a photograph that guides', false, 'canny', { source: 'photo-1' }],
    ['a photograph that guides nothing', false, 'none', { size: SIZE }],
  ] as const)('for a picture anew over %s names what it needs and no more', (_, blank, kind, expected) => {
    const wish = settings({ instruction: 'a car', control: { ...DEFAULT_SETTINGS.control, kind } });
    const request = requestOf(wish, { ...PICTURES, anew: { size: SIZE, blank } });
    expect(request).toMatchObject({ task: 'generate', ...expected });
    expect(['source', 'size'].filter((name) => name in request)).toEqual(Object.keys(expected));
    expect(v.safeParse(EditRequest, request).success).toBe(true);
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

test('the settings of a wish are those that led to it, whether its defaults are said or not', () => {
  const wanted = settings({
    instruction: '把车变成红色 🚗',
    preset: 'fast',
    seed: 41,
    guidance: 2,
    structure: 2,
    control: { ...DEFAULT_SETTINGS.control, kind: 'canny', strength: 0.5, fromScale: 2 },
  });
  const request = requestOf(wanted, PICTURES);
  const { count: _, ...same } = wanted;
  for (const wish of [request, v.parse(EditRequest, request)]) expect(settingsOf({ request: wish, seed: 41 })).toEqual(same);
});

// Not settings: what is on the table, how a run is watched or ended, and what is decided anew for each run.
const NO_SETTINGS = [
  'task',
  'source',
  'mask',
  'copy',
  'size',
  'resume',
  'redraw',
  'previews',
  'stopAtScale',
  'stopAtDetail',
  'detailSeeds',
  'count',
  'output',
];
/** Of every setting a value that is no default. */
const UNUSUAL: Partial<Settings> = {
  pack: 'other',
  instruction: 'make it night',
  margins: WIDE,
  control: { ...DEFAULT_SETTINGS.control, kind: 'canny', low: 7 },
  structure: 2,
  preset: 'draft',
  guidance: 2,
  guidanceUntil: 3,
  temperature: [1, 0.5, 0.1],
  topP: 0.25,
  topK: 12,
  scaleCount: 8,
  modelSide: 384,
  seed: 9,
  whole: true,
  padded: true,
  blend: 4,
  opacity: 0.4,
  provider: 'cpu',
  detail: 0.5,
};

test.each(Object.keys(EditRequest.entries).filter((name) => !NO_SETTINGS.includes(name)))(
  'the setting "%s" of a request comes back from its recipe',
  (name) => {
    expect(UNUSUAL, 'a new setting needs a value here, or a reason above').toHaveProperty(name);
    const value = UNUSUAL[name as keyof Settings];
    const request = requestOf(settings({ instruction: 'x', [name]: value }), PICTURES);
    expect(settingsOf({ request, seed: request.seed ?? 0 })).toHaveProperty(name, value);
  },
);
