import { expect, test, vi } from 'vitest';
import type { ProjectInput } from '#contract/project.js';
import { Journal } from '#state/journal.svelte.js';
import { FakeLink } from './fake-link.js';

const project = (seed: number): ProjectInput => ({
  sheets: [{ picture: 'photo', mask: { steps: [], length: 0 }, blank: false }],
  open: 0,
  settings: { seed },
});

test('says that all is written when the last change is, and not while one is under way or has failed', async () => {
  const link = new FakeLink();
  const ends: ((failure?: Error) => void)[] = [];
  link.table['journal.write'] = () =>
    new Promise((resolve, reject) => {
      ends.push((failure) => {
        if (failure) reject(failure);
        else resolve(null);
      });
    });
  const journal = new Journal(link, 'window-one');
  expect(journal.isWritten).toBe(true);
  journal.note(project(1));
  expect(journal.isWritten).toBe(false);
  await vi.waitUntil(() => ends.length === 1);
  journal.note(project(2));
  ends[0]!();
  await vi.waitUntil(() => ends.length === 2);
  expect(journal.isWritten).toBe(false);
  ends[1]!(new Error('No room.'));
  await vi.waitUntil(() => journal.writing === undefined);
  expect(journal.isWritten).toBe(false);
  journal.note(project(3));
  await vi.waitUntil(() => ends.length === 3);
  ends[2]!();
  await vi.waitUntil(() => journal.isWritten);
});
