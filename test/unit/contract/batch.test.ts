import { describe, expect, it } from 'vitest';
import { isPictureName, planBatch, reportOf, runBatch, type BatchEntry } from '#contract/batch.js';
import { CancelledError, ExpectedError } from '#contract/errors.js';

const entriesOf = (...names: string[]): BatchEntry[] => planBatch(names).map((plan) => ({ ...plan, state: 'waiting' }));

describe('the plan of a batch', () => {
  it('keeps names and formats', () => {
    expect(planBatch(['in/a.JPG', 'in/b.tif']).map(({ output, format }) => [output, format])).toEqual([
      ['a.JPG', 'jpeg'],
      ['b.tif', 'tiff'],
    ]);
  });

  it('tells results apart that would have one name', () => {
    const names = planBatch(['x/a.jpg', 'x/A.tif', 'y/a.jpg', 'z/a.jpg'], 'png').map(({ output }) => output);
    expect(names).toEqual(['a.png', 'A.tif.png', 'a.jpg.png', 'a-2.png']);
  });

  it.each([
    ['photo.jpeg', true],
    ['photo.HEIC', true],
    ['.hidden.png', false],
    ['notes.txt', false],
  ])('takes %s for a picture: %s', (name, is) => {
    expect(isPictureName(name)).toBe(is);
  });
});

describe('a batch', () => {
  it('refuses what fails and goes on with the others', async () => {
    let entries: readonly BatchEntry[] = entriesOf('a.png', 'b.png', 'c.png');
    const states: string[] = [];
    const one = async ({ source }: BatchEntry) => {
      if (source === 'b.png') throw new ExpectedError('image.unreadable', 'Expected a picture.');
      return { state: 'done' as const, ms: 5 };
    };
    for await (const { index, entry } of runBatch(entries, one)) {
      entries = entries.with(index, entry);
      states.push(`${entry.source} ${entry.state}`);
    }
    expect(states).toEqual(['a.png running', 'a.png done', 'b.png running', 'b.png refused', 'c.png running', 'c.png done']);
    expect(reportOf(entries)).toMatchObject({ done: 2, refused: 1, waiting: 0, kept: 0 });
    expect(entries[1]?.error?.code).toBe('image.unreadable');
  });

  it('lets the file wait again that was at work when it was cancelled', async () => {
    let entries: readonly BatchEntry[] = entriesOf('a.png', 'b.png');
    const run = async () => {
      for await (const { index, entry } of runBatch(entries, () => Promise.reject(new CancelledError('Cancelled.')))) {
        entries = entries.with(index, entry);
      }
    };
    await expect(run()).rejects.toThrow(CancelledError);
    expect(entries.map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  });
});
