import sharp from 'sharp';
import { expect, test } from 'vitest';
import { withRoom } from '#engine/image/files/avif-room.js';

const JUDGED_BY = 500;
const packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>';
const picture = () => sharp({ create: { width: 40, height: 24, channels: 3, background: { r: 200, g: 90, b: 30 } } });

/** Where the boxes before the pixels end. */
const boxesEnd = (file: Uint8Array) => Buffer.from(file).indexOf('mdat') - 4;

test('an AVIF whose boxes are short gets room, so that a reader of its first 500 bytes takes it for one; nothing else changes', async () => {
  const avif = await picture()
    .withXmp(packet)
    .withExif({ IFD0: { Make: 'x' } })
    .avif()
    .toBuffer();
  expect(boxesEnd(avif)).toBeLessThan(JUDGED_BY);
  const roomy = withRoom(avif);
  expect(boxesEnd(roomy)).toBeGreaterThan(JUDGED_BY);
  const [before, after] = [sharp(avif), sharp(roomy)];
  const [told, was] = [await after.metadata(), await before.metadata()];
  expect({ xmp: told.xmpAsString, exif: told.exif, icc: told.icc }).toEqual({ xmp: was.xmpAsString, exif: was.exif, icc: was.icc });
  expect(told.xmpAsString).toContain('x:xmpmeta');
  expect(await after.raw().toBuffer()).toEqual(await before.raw().toBuffer());
});

test('one whose boxes reach farther stays as it is', async () => {
  const avif = await picture().withIccProfile('p3').avif().toBuffer();
  expect(boxesEnd(avif)).toBeGreaterThan(JUDGED_BY);
  expect(withRoom(avif)).toBe(avif);
});
