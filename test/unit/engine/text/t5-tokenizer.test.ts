import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { T5Tokenizer } from '#engine/text/t5-tokenizer.js';

const file = JSON.parse(readFileSync('test/golden/t5-mini/tokenizer.json', 'utf8')) as { model: { vocab: [string, number][] } };
const tokenizer = new T5Tokenizer(file, 16);
const pieces = (prompt: string) => tokenizer.encode(prompt).ids.map((id) => file.model.vocab[id]![0]);

describe('T5’s tokens', () => {
  test.each([
    ['make it red', ['▁make', '▁it', '▁red', '</s>']],
    ['  make   it ', ['▁make', '▁it', '</s>']],
    ['ｍake', ['▁make', '</s>']],
    ['', ['</s>']],
    ['reds', ['▁red', 's', '</s>']],
    ['你好', ['▁', '你', '好', '</s>']],
  ])('of %j', (prompt, expected) => {
    expect(pieces(prompt).filter((piece, i) => piece !== '▁' || expected[i] === '▁')).toEqual(expected);
  });

  test.each(['</s>', '<pad>', '<unk>', 'a</s>b'])('the literal %s is text, never a control token', (literal) => {
    const { ids } = tokenizer.encode(literal);
    expect(ids.slice(0, -1)).not.toContain(0);
    expect(ids.slice(0, -1)).not.toContain(1);
    expect(ids.at(-1)).toBe(1);
  });

  test.each(['🙂', 'مرحبا', '\ud800', '\u0000'])('%j becomes something, and ends', (prompt) => {
    expect(tokenizer.encode(prompt).ids.at(-1)).toBe(1);
  });

  test('a prompt that is too long is cut before its end token, and says so', () => {
    const { ids, cut } = tokenizer.encode('make it red '.repeat(20));
    expect(cut).toBe(true);
    expect(ids).toHaveLength(16);
    expect(ids.at(-1)).toBe(1);
  });

  test('a file that describes no tokenizer is damage', () => {
    expect(() => new T5Tokenizer({ model: {} }, 4)).toThrow('describes no tokenizer');
  });
});
