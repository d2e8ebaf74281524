import { expect, test } from 'vitest';
import { busBytes, VAREDIT_2B } from '../../bench/bus.js';

test('a picture of VAREdit-2B at 512 pixels moved 18 GB of keys and values, and moves forty kilobytes for them', () => {
  const { before, after } = busBytes(VAREDIT_2B);
  expect(before / 1e9).toBeCloseTo(18.0, 1);
  expect(after).toBeGreaterThan(0);
  expect(after).toBeLessThan(60_000);
});

test('each scale takes up all that was before it, and gives its own', () => {
  const rows = { scales: [[1, 1], [2, 2]] as const, sourceTokens: 0, depth: 1, width: 1, batch: 1 }; // prettier-ignore
  // Up 0 and 1 rows, down 1 and 4: six rows of a key and a value, four bytes each.
  expect(busBytes(rows).before).toBe(6 * 2 * 4);
});
