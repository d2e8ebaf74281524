import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openPhoto } from '#engine/image/files/decode.js';
import { paddedCopy } from '#engine/image/working/padded-copy.js';
import { Fixture, maxDifference } from '../support/fixtures.js';

/** Made by reference/padded.py with Pillow. */
const fixture = new Fixture('test/golden', 'padded');

describe('a photo on a white square', () => {
  it.each([32, 112])('is resized to %i pixels as Pillow does it, to one step of 255', async (side) => {
    const copy = await paddedCopy(await openPhoto(await readFile(fixture.file('photo.png'))), { width: side, height: side });
    const theirs = fixture.picture(`seen-${side}.png`);
    expect(copy.dims).toEqual(theirs.dims);
    expect(maxDifference(copy.data, theirs.data)).toBeLessThan(1.01 / 255);
    // Below the photo everything is white.
    expect(copy.data.subarray((side - 1) * side, side * side).every((value) => value === 1)).toBe(true);
  });
});
