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

test('writes one after the other, so that what is older cannot arrive last', async () => {
  const link = new FakeLink();
  const begun: unknown[] = [];
  const ends: (() => void)[] = [];
  link.table['journal.write'] = ({ project: written }) =>
    new Promise((resolve) => {
      begun.push(written);
      ends.push(() => {
        resolve(null);
      });
    });
  const journal = new Journal(link, 'window-one');
  journal.note(project(1));
  await vi.waitUntil(() => begun.length === 1);
  vi.useFakeTimers();
  journal.note(project(2));
  await vi.runAllTimersAsync();
  journal.note(project(3));
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  expect(begun).toHaveLength(1);
  ends[0]!();
  await vi.waitUntil(() => begun.length === 2);
  expect(begun[1]).toEqual(project(3));
  expect(journal.writing).toBeDefined();
  ends[1]!();
  await vi.waitUntil(() => journal.isWritten);
  expect(begun).toHaveLength(2);
});
