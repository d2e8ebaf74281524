import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from '#farm/progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first is told at once, then the newest four times a second, and nothing after the end', () => {
  const told: number[] = [];
  const progress = new Progress(({ scale }) => told.push(scale));
  for (const scale of [1, 2, 3]) progress.tell({ scale, of: 9 });
  expect(told).toEqual([1]);
  vi.advanceTimersByTime(250);
  expect(told).toEqual([1, 3]);
  vi.advanceTimersByTime(1_000);
  progress.tell({ scale: 4, of: 9 });
  progress.tell({ scale: 5, of: 9 });
  progress.stop();
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([1, 3, 4]);
});
