import { describe, expect, it } from 'vitest';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';

const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [8, 16, 24],
  [255, 255, 255],
  [0, 0, 0],
] as const;

interface Bitmap {
  readonly bits: number;
  readonly compression?: number;
  readonly height?: number;
  /** Rows as they lie in the file, each padded to four bytes. */
  readonly rows: readonly (readonly number[])[];
  readonly palette?: readonly (readonly number[])[];
  readonly masks?: readonly number[];
}

function bitmap({ bits, compression = 0, height = 2, rows, palette = [], masks = [] }: Bitmap): Uint8Array {
  const header = masks.length > 0 ? 108 : 40;
  const start = 14 + header + palette.length * 4;
  const pixels = Buffer.concat(rows.map((row) => Buffer.from([...row, ...Array<number>((4 - (row.length % 4)) % 4).fill(0)])));
  const head = Buffer.alloc(start);
  head.write('BM', 'latin1');
  head.writeUInt32LE(start, 10);
  head.writeUInt32LE(header, 14);
  head.writeInt32LE(3, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(compression, 30);
  head.writeInt32LE(11811, 38);
  head.writeInt32LE(11811, 42);
  masks.forEach((mask, i) => head.writeUInt32LE(mask, 54 + i * 4));
  palette.forEach((colour, i) => {
    head.set(colour, 14 + header + i * 4);
  });
  return Buffer.concat([head, pixels]);
}

const bgr = (from: number) => COLOURS.slice(from, from + 3).flatMap(([r, g, b]) => [b, g, r]);
const word = (value: number) => [value & 255, value >> 8];
const [top, bottom] = [bgr(0), bgr(3)];
const palette = COLOURS.map(([r, g, b]) => [b, g, r, 0]);

describe('a bitmap', () => {
  it.each<[string, Uint8Array, number]>([
    ['of 24 bits, from the bottom up', bitmap({ bits: 24, rows: [bottom, top] }), 0],
    ['of 24 bits, from the top down', bitmap({ bits: 24, height: -2, rows: [top, bottom] }), 0],
    ['of 8 bits', bitmap({ bits: 8, rows: [[3, 4, 5], [0, 1, 2]], palette }), 0], // prettier-ignore
    ['of 4 bits', bitmap({ bits: 4, rows: [[0x34, 0x50], [0x01, 0x20]], palette }), 0], // prettier-ignore
    ['of 16 bits', bitmap({ bits: 16, height: -2, rows: [[0x7c00, 0x03e0, 0x001f].flatMap(word), [0x0443, 0x7fff, 0].flatMap(word)] }), 8],
  ])('%s opens as a PNG would', async (_, file, tolerance) => {
    const photo = await openPhoto(file);
    expect([photo.extent, photo.channels, photo.format]).toEqual([{ width: 3, height: 2 }, 3, 'png']);
    COLOURS.flat().forEach((value, i) => {
      expect(Math.abs(photo.samples[i]! - value)).toBeLessThanOrEqual(tolerance);
    });
    expect(Math.round(photo.resolution!.x)).toBe(300);
    expect(photo.notices).toEqual([]);
    expect((await readFacts(file)).hasAlpha).toBe(false);
  });

  it('has alpha where it says which bits are', async () => {
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const rows = [0, 3].map((from) => COLOURS.slice(from, from + 3).flatMap(([r, g, b]) => [b, g, r, 100 + from]));
    const photo = await openPhoto(bitmap({ bits: 32, compression: 3, height: -2, rows, masks }));
    expect(photo.channels).toBe(4);
    expect(Array.from(photo.samples)).toEqual(COLOURS.flatMap((colour, i) => [...colour, i < 3 ? 100 : 103]));
  });

  it('that is cut opens as far as it goes; one that is packed is refused by name', async () => {
    const cut = await openPhoto(bitmap({ bits: 24, height: -2, rows: [top, bottom] }).subarray(0, 54 + 12));
    expect(cut.notices.map(({ code }) => code)).toEqual(['image.damaged']);
    expect(Array.from(cut.samples.subarray(0, 9))).toEqual(COLOURS.slice(0, 3).flat());
    await expect(openPhoto(bitmap({ bits: 8, compression: 1, rows: [], palette }))).rejects.toMatchObject({ code: 'image.unsupported' });
  });
});
