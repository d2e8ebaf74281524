import { describe, expect, it } from 'vitest';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { pagesOf } from '#engine/image/files/tiff-pages.js';
import { tiffOfHand, type TiffOfHand } from '../../../../support/tiff.js';

interface Page {
  readonly side: number;
  readonly value: number;
  /** NewSubfileType, or what the old field says where it is negative. */
  readonly kind?: number;
  readonly bits?: number;
}

function short(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >> 8, 0, 0);
}

function pageOf({ side, value, kind, bits = 8 }: Page): Buffer {
  const more: TiffOfHand['more'] = kind === undefined ? [] : kind < 0 ? [[255, 3, 1, short(-kind)]] : [[254, 4, 1, short(kind)]];
  const samples = new Float32Array(side * side * 3).fill(value / 255);
  const data = bits === 8 ? new Uint8Array(side * side * 3).fill(value) : new Uint8Array(samples.buffer);
  return Buffer.from(
    tiffOfHand({ width: side, height: side, bits, samples: 3, photometric: 2, data, more, ...(bits === 32 && { format: 3 }) }),
  );
}

const OFFSETS = 273;
const ITEM = [0, 1, 1, 2, 4, 8];

/** Pages one behind the other, each a file whose offsets are moved. */
function pages(...wishes: readonly Page[]): Uint8Array {
  const parts: Buffer[] = [Buffer.from('II*\0\0\0\0\0', 'latin1')];
  let end = 8;
  let link: { readonly block: Buffer; readonly at: number } = { block: parts[0]!, at: 4 };
  for (const wish of wishes) {
    const block = pageOf(wish);
    const directory = block.readUInt32LE(4);
    const count = block.readUInt16LE(directory);
    for (let i = 0; i < count; i++) {
      const at = directory + 2 + i * 12;
      const [tag, type, items] = [block.readUInt16LE(at), block.readUInt16LE(at + 2), block.readUInt32LE(at + 4)];
      const far = (ITEM[type] ?? 0) * items > 4;
      if (far || tag === OFFSETS) block.writeUInt32LE(block.readUInt32LE(at + 8) + end, at + 8);
    }
    link.block.writeUInt32LE(directory + end, link.at);
    link = { block, at: directory + 2 + count * 12 };
    parts.push(block);
    end += block.length;
  }
  return new Uint8Array(Buffer.concat(parts));
}

const full = { side: 16, value: 200 };
const small = { side: 4, value: 90 };

describe('the pages of a TIFF', () => {
  it.each<[what: string, file: Uint8Array, notices: readonly string[]]>([
    ['one', pages(full), []],
    ['several', pages(full, { ...full, value: 9 }), ['image.animated']],
    ['a smaller copy behind it', pages(full, { ...small, kind: 1 }), ['image.animated']],
    ['a smaller copy in front of it', pages({ ...small, kind: 1 }, { ...full, kind: 0 }), ['image.smaller-page']],
    ['a smaller copy, by the old field', pages({ ...small, kind: -2 }, { ...full, kind: -1 }), ['image.smaller-page']],
    ['a mask in front of it', pages({ ...small, kind: 4 }, full), ['image.smaller-page']],
    ['two copies in front of it, more behind', pages({ ...small, kind: 1 }, { ...small, kind: 1 }, full, small), ['image.smaller-page']],
    ['floats behind a copy', pages({ ...small, kind: 1 }, { ...full, bits: 32 }), ['image.smaller-page', 'image.floats']],
    ['several of floats', pages({ ...full, bits: 32 }, small), ['image.animated', 'image.floats']],
  ])('%s: the full picture is taken, the rest is said', async (_, file, notices) => {
    const photo = await openPhoto(file);
    expect([photo.extent, Math.round(photo.samples[0]! / (photo.samples.BYTES_PER_ELEMENT === 2 ? 257 : 1))]).toEqual([{ width: 16, height: 16 }, 200]); // prettier-ignore
    expect(photo.notices.map(({ code }) => code).filter((code) => code !== 'image.deep')).toEqual(notices);
    expect((await readFacts(file)).size).toEqual(photo.extent);
  });

  it('all of them smaller copies: the first is taken', async () => {
    expect((await openPhoto(pages({ ...small, kind: 1 }, { ...small, kind: 1 }))).extent).toEqual({ width: 4, height: 4 });
  });

  it('that lead in a circle end', () => {
    const file = Buffer.from(pages({ ...small, kind: 1 }));
    const directory = file.readUInt32LE(4);
    file.writeUInt32LE(directory, directory + 2 + file.readUInt16LE(directory) * 12);
    expect(pagesOf(file)).toEqual({ file, skipped: false, more: true });
  });
});
