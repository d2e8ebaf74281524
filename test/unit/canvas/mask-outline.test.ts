import { describe, expect, test } from 'vitest';
import { outlineOfValues } from '#canvas/mask-outline.js';

/** Painted where the row of signs says so. */
function outline(...rows: readonly string[]): readonly string[] {
  const values = Uint8Array.from(rows.join(''), (sign) => (sign === '#' ? 255 : 0));
  const lines = outlineOfValues(values, { width: rows[0]!.length, height: rows.length });
  return lines.map(({ from, to }) => `${from.join()} ${to.join()}`).sort();
}

describe('the outline of a mask', () => {
  test('goes around what is painted, in straight lines, also at the edge of the picture', () => {
    expect(outline('....', '.##.', '....')).toEqual(['1,1 1,2', '1,1 3,1', '1,2 3,2', '3,1 3,2'].sort());
    expect(outline('##', '##')).toEqual(['0,0 0,2', '0,0 2,0', '0,2 2,2', '2,0 2,2'].sort());
    expect(outline('...')).toEqual([]);
  });

  test('has every part, and every hole', () => {
    expect(outline('###', '#.#', '###')).toHaveLength(8);
    expect(outline('#.#')).toHaveLength(8);
  });
});
