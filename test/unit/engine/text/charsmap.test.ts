import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Charsmap } from '#engine/text/charsmap.js';

// A small table in the published format, compiled by SentencePiece itself (test/golden/reference/t5.py).
const file = JSON.parse(readFileSync('test/golden/t5-mini/tokenizer.json', 'utf8')) as { normalizer: { precompiled_charsmap: string } };
const { precompiled_charsmap: table } = file.normalizer;
const charsmap = new Charsmap(table);

describe('a compiled table of characters', () => {
  test.each([
    ['full-width letters', 'ｒｅｄ！', 'red!'],
    ['ligatures', 'ﬁne ﬂowers', 'fine flowers'],
    ['a letter and its accent', 'cafe\u0301', 'café'],
    ['a letter and two accents as the published tokenizer does: the second is lost', 'e\u0301\u0301', 'é'],
    ['blanks of every width', 'a\u00a0b\u2003c\u3000d\te', 'a b c d e'],
    ['controls', 'a\u0007\u001fb', 'ab'],
    ['a joiner, which stays', 'a\u200db', 'a\u200db'],
    ['half-width kana and its mark one by one, being six bytes', 'ｶﾞ', 'カﾞ'],
    ['a fraction', '½', '1⁄2'],
    ['what it does not name', 'é 你好 🙂', 'é 你好 🙂'],
    ['nothing', '', ''],
    ['NUL', 'a\0b', 'a\0b'],
  ])('replaces %s', (_, text, expected) => {
    expect(charsmap.normalise(text)).toBe(expected);
  });

  test.each([
    ['nothing', ''],
    ['a length beyond its end', Buffer.from([255, 255, 255, 127, 0, 0, 0, 0]).toString('base64')],
    ['half a unit', Buffer.from([3, 0, 0, 0, 1, 2, 3, 4]).toString('base64')],
    ['no base64', '!'],
  ])('of %s is damage', (_, bytes) => {
    expect(() => new Charsmap(bytes)).toThrow('it is damaged');
  });

  test('of random bytes never fails to end', () => {
    const bytes = Buffer.from(table, 'base64');
    for (let seed = 1; seed < 200; seed++) {
      const broken = Buffer.from(bytes);
      for (let i = 4; i < broken.length; i += 1 + (seed % 7)) broken[i] = (i * seed * 2654435761) >>> 24;
      expect(typeof new Charsmap(broken.toString('base64')).normalise('ｒｅｄ ﬁne cafe\u0301')).toBe('string');
    }
  });
});
