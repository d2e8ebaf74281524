import { expect, test } from 'vitest';
import type { PackCard } from '#contract/pack-card.js';
import { exampleFor, fittingExamples } from '#document/examples.js';

const withText = (text: object, transformer: object = {}): PackCard =>
  ({ family: 'infinity', config: { transformer: { rotary: { kind: 'normalised' }, text, ...transformer } } }) as unknown as PackCard;
const words = withText({ kind: 'words', examples: ['make the car red'], photoExamples: ['black and white'] });
const classes = { family: 'var', config: { transformer: { text: { kind: 'classes', names: ['tench, Tinca tinca', 'goldfish'] } } } } as unknown as PackCard; // prettier-ignore

test.each([
  ['a photo', words, undefined, 'black and white'],
  ['one of our scenes', words, 'car', 'make the car blue'],
  ['a photo, by a model that reads any sentence', withText({ kind: 'features' }), undefined, 'make it warmer'],
  ['a model that draws from words', withText({ kind: 'features' }, { source: false }), undefined, 'a house by a lake at dusk'],
  ['a model that knows classes', classes, undefined, 'tench'],
  ['a model that is not there yet', undefined, undefined, 'make it warmer'],
] as const)('the example for %s', (_, card, scene, example) => {
  expect(exampleFor(card, scene)).toBe(example);
});

test('of what a model names itself a photo gets what does well on any; names of classes all stay', () => {
  expect(fittingExamples(['make the car red'], words, undefined)).toEqual(['black and white']);
  expect(fittingExamples(['make the car red'], words, 'tree')).toEqual(['make the car red']);
  expect(fittingExamples([], words, undefined)).toEqual([]);
  expect(fittingExamples(['goldfish'], classes, undefined)).toEqual(['goldfish']);
});
