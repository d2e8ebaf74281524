import { expect, test } from 'vitest';
import type { PackCard } from '#contract/pack-card.js';
import { readFile } from 'node:fs/promises';
import { WordTokenizer } from '#engine/text/words.js';
import { exampleFor, fittingExamples, type SceneName } from '#document/examples.js';

const on = (scene: SceneName | undefined, language: 'en' | 'de' = 'en') => ({ scene, language });

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
  expect(exampleFor(card, on(scene))).toBe(example);
});

test('of what a model names itself a photo gets what does well on any; names of classes all stay', () => {
  expect(fittingExamples(['make the car red'], words, on(undefined))).toEqual(['black and white']);
  expect(fittingExamples(['make the car red'], words, on('tree'))).toEqual(['make the car red']);
  expect(fittingExamples([], words, on(undefined))).toEqual([]);
  expect(fittingExamples(['goldfish'], classes, on(undefined))).toEqual(['goldfish']);
});

test('what is proposed in German is read as the same in English', async () => {
  const card = JSON.parse(await readFile('models/studio/card.json', 'utf8')) as Extract<PackCard, { family: 'infinity' }>;
  const { text } = card.config.transformer;
  if (text.kind !== 'words') throw new Error('Expected a small vocabulary.');
  const tokenizer = new WordTokenizer(text);
  const pairs = [
    ...([undefined, 'car', 'house', 'tree'] as const).map((scene) => [exampleFor(card, on(scene)), exampleFor(card, on(scene, 'de'))]),
    ...fittingExamples(['any'], card, on(undefined)).map((english, i) => [english, fittingExamples(['any'], card, on(undefined, 'de'))[i] ?? '']), // prettier-ignore
  ] as const;
  expect(pairs).toHaveLength(7);
  for (const [english = '', german = ''] of pairs) {
    expect(german).not.toBe(english);
    expect(tokenizer.read(german).join(' ')).toBe(tokenizer.read(english).join(' '));
  }
});
