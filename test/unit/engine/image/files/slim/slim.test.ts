import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { fileKind } from '#engine/image/files/file-kind.js';
import { slimmed, type Slim } from '#engine/image/files/slim/slim.js';
import { Source } from '#engine/image/files/slim/source.js';
import { FUZZ_FACTOR } from '../../../../../support/fuzz.js';
import { HEAVY } from '../../../../../support/heavy-metadata.js';

const HEAVY_BYTES = 3_000_000;
const LIGHT_BYTES = 1000;
/** Nothing of these was ever kept, so that nobody misses it. */
const UNTOLD = ['PNG, zTXt that inflates', 'AVIF, a box of nobody', 'GIF, a comment'];
const names = Object.keys(HEAVY);

async function fromDisk(bytes: Uint8Array, read: (source: Source) => Slim): Promise<Slim> {
  const folder = await mkdtemp(path.join(tmpdir(), 'slim-test-'));
  await writeFile(path.join(folder, 'picture'), bytes);
  const handle = await open(path.join(folder, 'picture'));
  try {
    return read(Source.ofFile(handle.fd, bytes.length));
  } finally {
    await handle.close();
    await rm(folder, { recursive: true });
  }
}

test.each(names)('a picture opens without what is too large beside its pixels, and says so: %s', async (name) => {
  const [heavy, light] = [await HEAVY[name]!(HEAVY_BYTES), await HEAVY[name]!(LIGHT_BYTES)];
  const [photo, wanted] = [await openPhoto(heavy), await openPhoto(light)];
  expect(photo.extent).toEqual(wanted.extent);
  expect(Buffer.compare(Buffer.from(photo.samples), Buffer.from(wanted.samples))).toBe(0);
  expect(photo.notices.map(({ code }) => code).includes('image.metadata')).toBe(!UNTOLD.includes(name));
});

test.each(names)('the facts of a large file are read from a few of its bytes, on the disk as in memory: %s', async (name) => {
  const heavy = await HEAVY[name]!(HEAVY_BYTES);
  const kind = fileKind(heavy);
  const few = await fromDisk(heavy, (source) => slimmed(kind, source, true));
  expect(Buffer.compare(few.bytes, slimmed(kind, Source.of(heavy), true).bytes)).toBe(0);
  expect(await readFacts(few)).toEqual(await readFacts(heavy));
});

test.each(names)('a file with no more than is usual stays as it is: %s', async (name) => {
  const light = await HEAVY[name]!(LIGHT_BYTES);
  expect(slimmed(fileKind(light), Source.of(light))).toEqual({ bytes: light, leftOut: false });
});

test.each(names)('damaged bytes, cut anywhere, end the walk: %s', async (name) => {
  const whole = await HEAVY[name]!(LIGHT_BYTES);
  const kind = fileKind(whole);
  const head = Math.min(whole.length, 4096);
  const damage = fc.record({ at: fc.nat(head - 1), byte: fc.nat(255), length: fc.nat(whole.length), few: fc.boolean() });
  fc.assert(
    fc.property(damage, ({ at, byte, length, few }) => {
      const bytes = new Uint8Array(whole);
      bytes[at] = byte;
      const { bytes: slim } = slimmed(kind, Source.of(bytes.subarray(0, length)), few);
      expect(slim.length).toBeLessThanOrEqual(length + 12);
    }),
    { numRuns: 50 * FUZZ_FACTOR },
  );
});
