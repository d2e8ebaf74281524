import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const FOLDER = path.resolve('docs/guide');
const MOST_LINES = 10;
const MOST_BYTES = 100_000;
const MOST_BYTES_TOGETHER = 1_500_000;
const PICTURE = /!\[[^\]]+\]\((pictures\/[^)]+)\)/gu;

describe.each(['en', 'de'])('the guide in %s', (tag) => {
  test('has ten jobs of at most ten lines, each with a picture', async () => {
    const [, ...jobs] = (await readFile(path.join(FOLDER, `${tag}.md`), 'utf8')).split(/^## /mu);
    expect(jobs.map((job) => parseInt(job, 10))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (const job of jobs) {
      expect(job.trim().split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(MOST_LINES); // prettier-ignore
      expect([...job.matchAll(PICTURE)]).toHaveLength(1);
    }
  });
});

test('its pictures are small, and all of them are shown', async () => {
  const pages = await Promise.all(['en.md', 'de.md'].map((page) => readFile(path.join(FOLDER, page), 'utf8')));
  const shown = pages.flatMap((page) => [...page.matchAll(PICTURE)].map(([, picture]) => path.basename(picture ?? '')));
  const files = await readdir(path.join(FOLDER, 'pictures'));
  expect([...files].sort()).toEqual([...shown].sort());
  const bytes = await Promise.all(files.map(async (file) => (await stat(path.join(FOLDER, 'pictures', file))).size));
  expect(Math.max(...bytes)).toBeLessThanOrEqual(MOST_BYTES);
  expect(bytes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(MOST_BYTES_TOGETHER);
});
