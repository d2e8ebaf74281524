import { expect, test } from 'vitest';
import { WordTokenizer } from '#engine/text/words.js';

const tokenizer = new WordTokenizer({
  kind: 'words',
  vocabulary: ['<pad>', '<unk>', 'make', 'the', 'car', 'red', 'tree'],
  maxWords: 4,
  examples: ['make the car red'],
});

test('words become ids whatever their case and punctuation', () => {
  expect(tokenizer.encode('Make, the CAR!').ids).toEqual([2, 3, 4]);
});

test('no words become the single pad that stands for no text', () => {
  expect(tokenizer.encode('  ').ids).toEqual([0]);
});

test('an unknown word is named with its nearest neighbours', () => {
  const { ids, report } = tokenizer.encode('make the cat red');
  expect(ids).toEqual([2, 3, 1, 5]);
  expect(report.unknownWords).toEqual([{ word: 'cat', suggestions: ['car'] }]);
  expect(report.understands).toEqual(['make the car red']);
  expect(report.known).toBe(true);
});

test('a word that resembles none gets no suggestion, only examples of what is understood', () => {
  const { report } = tokenizer.encode('add a unicorn');
  expect(report.unknownWords.map(({ suggestions }) => suggestions)).toEqual([[], [], []]);
  expect(report.understands).toEqual(['make the car red']);
});

test('an instruction that is understood is answered with no examples', () => {
  expect(tokenizer.encode('make the car red').report.understands).toEqual([]);
});

test('what lies beyond the longest instruction is cut, and said', () => {
  const { ids, report } = tokenizer.encode('make the car red tree');
  expect(ids).toHaveLength(4);
  expect(report.cut).toBe(true);
});

test.each(['<pad>', '</s>', '<unk>'])('the literal %s is a word like any other, never a control token', (literal) => {
  expect(tokenizer.encode(literal).ids).toEqual([1]);
});

test.each(['🙂🙂', '\ud800', '\u0000', 'مرحبا'])('%j does not upset it', (text) => {
  expect(tokenizer.encode(text).ids.every((id) => id <= 1)).toBe(true);
});

test.each([
  ["don't make the car red", true],
  ['don’t make the car red', true],
  ['do not make the car red', true],
  ['mach das Auto nicht rot', true],
  ['make the car red', undefined],
  ['make nothing red', undefined],
])('%s says what should not happen: %s', (instruction, negated) => {
  expect(tokenizer.encode(instruction).report.negated).toBe(negated);
});

test.each([
  ['make the left car red', 'make the car on the left red'],
  ['make the rightmost red tree red', 'make the red tree on the right red'],
  ['make the car on the left red', 'make the car on the left red'],
  ['on the left make the car red', 'on the left make the car red'],
])('%s is read as %s', (instruction, read) => {
  expect(tokenizer.read(instruction).join(' ')).toBe(read);
});
