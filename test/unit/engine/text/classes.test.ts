import { describe, expect, test } from 'vitest';
import { ClassNames } from '#engine/text/classes.js';

const classes = new ClassNames(['tench, Tinca tinca', 'golden retriever', 'Labrador retriever', 'tabby, tabby cat', '3D glasses']);

describe('a class of pictures', () => {
  test.each([
    ['tench', 0],
    ['Tinca tinca', 0],
    ['A golden retriever.', 1],
    ['the Labrador', 2],
    ['cat', 3],
    ['2', 2],
  ])('%j is class %i', (wish, index) => {
    expect(classes.find(wish).index).toBe(index);
    expect(classes.find(wish).report.known).toBe(true);
  });

  test('what several classes have in their names is asked back', () => {
    const { index, report } = classes.find('retriever');
    expect(index).toBeUndefined();
    expect(report.unknownWords).toEqual([{ word: 'retriever', suggestions: ['golden retriever', 'labrador retriever'] }]);
  });

  test('a slip of the pen is answered with the name that was meant', () => {
    expect(classes.find('goldan retreiver').report.understands).toEqual(['golden retriever']);
  });

  test.each(['', 'unicorn', '99', '🙂', 'a'])('%j is no class', (wish) => {
    expect(classes.find(wish)).toMatchObject({ report: { known: false, unknownWords: [{ suggestions: [] }] } });
  });
});
