import { describe, expect, it } from 'vitest';
import { splitName } from '#base/file-name.js';
import { safeFileName, shownName } from '#service/names.js';

describe('a name from outside', () => {
  it.each([
    ['a\nb.png', 'a\\u{a}b.png'],
    ['photo\u202egnp.exe', 'photo\\u{202e}gnp.exe'],
    ['nul\u0000.png', 'nul\\u{0}.png'],
    ['東京 🌃.png', '東京 🌃.png'],
  ])('is shown on one line, %j', (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\photos\\dog.jpg', 'dog.jpg'],
    ['a\nb\u202e.png', 'ab.png'],
    ['con.png', '_con.png'],
    ['..', 'picture'],
    ['', 'picture'],
    ['\ud800lone.png', '\ufffdlone.png'],
    [`${'🌃'.repeat(300)}.png`, `${'🌃'.repeat(120)}.png`],
    ['what? "why".png', 'what_ _why_.png'],
  ])('is saved as a plain file name, %j', (name, safe) => {
    expect(safeFileName(name)).toBe(safe);
  });

  it('is split at its last extension', () => {
    expect(splitName('a.b.png')).toEqual({ stem: 'a.b', extension: '.png' });
    expect(splitName('noext')).toEqual({ stem: 'noext', extension: '' });
  });
});
