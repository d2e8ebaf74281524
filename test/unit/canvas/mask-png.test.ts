import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeGreyPng } from '#canvas/mask-png.js';

async function decoded(file: Blob) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const { channels, width, height, depth } = await sharp(bytes).metadata();
  return { channels, width, height, depth, values: new Uint8Array(await sharp(bytes).toColourspace('b-w').raw().toBuffer()) };
}

test('a decoder that is not ours reads every sample back, and rows that are not painted as black', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 50 }),
      fc.infiniteStream(fc.nat(255)),
      fc.tuple(fc.nat(70), fc.nat(70)),
      async (width, height, samples, [top, below]) => {
        const rows = Uint8Array.from({ length: width * height }, () => samples.next().value as number);
        const extent = { width, height: top + height + below };
        const file = await encodeGreyPng({ extent, top, rows });
        const values = new Uint8Array(width * extent.height);
        values.set(rows, top * width);
        expect(file.type).toBe('image/png');
        expect(await decoded(file)).toEqual({ channels: 1, ...extent, depth: 'uchar', values });
      },
    ),
    { numRuns: 20 },
  );
});
