import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Directories } from '#engine/image/files/directory.js';
import { exifResolution, exifWithoutPlace, sizedExif, uprightExif } from '#engine/image/files/exif.js';
import { exifOfTiff } from '#engine/image/files/tiff-exif.js';
import { readTiffFacts } from '#engine/image/files/tiff-facts.js';
import { FUZZ_FACTOR } from '../../../../support/fuzz.js';
import { tiffOfHand } from '../../../../support/tiff.js';
import { makeExif, makePlacedExif } from '../pictures.js';

/** Every way into a block of directories. Whatever they are given, they answer, and soon. */
function readAll(block: Uint8Array): void {
  const directories = Directories.of(block);
  for (let at = directories?.first ?? 0, links = 0; at > 0 && links < 100; links++) at = directories?.open(at)?.next ?? 0;
  const exif = uprightExif(block);
  expect(exif === undefined || exif.length <= block.length).toBe(true);
  expect(sizedExif(block, { width: 3, height: 2 })).toHaveLength(block.length);
  expect(exifWithoutPlace(block)).toHaveLength(block.length);
  expect((exifOfTiff(block)?.length ?? 0) <= 65_100).toBe(true);
  exifResolution(block);
  readTiffFacts(block);
}

const seeds = [
  makeExif(6),
  makeExif(3, false),
  makePlacedExif(),
  makePlacedExif(false),
  tiffOfHand({ width: 3, height: 2, bits: 16, samples: 5, photometric: 2, extras: [0, 0], data: new Uint8Array(60) }),
];

describe('the reader of directories', () => {
  it('answers whatever bytes it is given', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), readAll), { numRuns: 100 * FUZZ_FACTOR });
    const headed = fc.tuple(fc.constantFrom('II*\0', 'MM\0*', 'II+\0', 'MM\0+'), fc.uint8Array({ minLength: 4, maxLength: 300 }));
    fc.assert(
      fc.property(headed, ([head, rest]) => {
        readAll(Buffer.concat([Buffer.from(head, 'latin1'), rest]));
      }),
      { numRuns: 200 * FUZZ_FACTOR },
    );
  });

  it('answers whole blocks with damaged bytes, cut anywhere', () => {
    const hits = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), hits, fc.nat(400), (seed, places, cut) => {
        const block = new Uint8Array(seed);
        for (const [at, value] of places) if (at < block.length) block[at] = value;
        readAll(block.subarray(0, Math.max(8, block.length - cut)));
      }),
      { numRuns: 300 * FUZZ_FACTOR },
    );
  });

  it('opens a directory once, so that links in circles lead nowhere', () => {
    const block = makePlacedExif();
    new DataView(block.buffer).setUint32(34, 8, true);
    const directories = Directories.of(block)!;
    const first = directories.open(8)!;
    expect(first.next).toBe(8);
    expect(directories.open(first.next)).toBeUndefined();
  });
});
