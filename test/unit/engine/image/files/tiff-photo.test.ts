import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { lossesOf } from '#engine/image/files/losses.js';
import { tiffOfHand, type TiffOfHand } from '../../../../support/tiff.js';
import { builtInProfile, makePhoto } from '../pictures.js';

const [width, height] = [17, 11];
const pixels = width * height;

/** Ramps, different in every sample, 0 to 1. */
function ramp(samples: number): number[] {
  return Array.from({ length: pixels * samples }, (_, i) => {
    const [pixel, sample] = [Math.trunc(i / samples), i % samples];
    return (((pixel % width) * (sample + 1)) / width + Math.trunc(pixel / width) / height) % 1;
  });
}

type Writer = (buffer: Buffer, value: number, at: number) => void;

function bytesOf(values: readonly number[], size: number, write: Writer): Buffer {
  const bytes = Buffer.alloc(values.length * size);
  values.forEach((value, i) => {
    write(bytes, value, i * size);
  });
  return bytes;
}

/** As IEEE 754 rounds them: the numbers of a half are few enough to be looked up. */
const HALVES = Array.from({ length: 0x3c01 }, (_, word) => {
  const [exponent, fraction] = [word >> 10, (word & 1023) / 1024];
  return exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
});

function half(value: number): number {
  return HALVES.reduce((best, number, word) => (Math.abs(number - value) < Math.abs(HALVES[best]! - value) ? word : best), 0);
}

function tiff(more: Partial<TiffOfHand> & Pick<TiffOfHand, 'bits' | 'data'>): Uint8Array {
  return tiffOfHand({ width, height, samples: 3, photometric: 2, ...more });
}

const whole16 = (values: readonly number[]) => values.map((value) => Math.round(value * 65535));

async function expectSamples(file: Uint8Array, expected: readonly number[], tolerance = 0): Promise<void> {
  const { samples } = await openPhoto(file);
  expect(samples).toHaveLength(expected.length);
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(value - samples[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const codes = async (file: Uint8Array) => (await openPhoto(file)).notices.map(({ code }) => code);

describe('samples of a few bits', () => {
  it.each([1, 2, 4, 6])('%i bits per colour', async (bits) => {
    const full = 2 ** bits - 1;
    const values = ramp(3).map((value) => Math.round(value * full));
    const rows = Array.from({ length: height }, (_, y) => {
      const text = values.slice(y * width * 3, (y + 1) * width * 3).map((value) => value.toString(2).padStart(bits, '0'));
      return (text.join('').match(/.{1,8}/gu) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
    });
    const file = tiff({ bits, data: Uint8Array.from(rows.flat()) });
    await expectSamples(
      file,
      values.map((value) => Math.round((value * 255) / full)),
    );
    expect(await codes(file)).toEqual([]);
  });
});

describe('the header alone', () => {
  it.each<[string, Partial<TiffOfHand> & Pick<TiffOfHand, 'bits'>, readonly string[]]>([
    ['CMYK', { bits: 8, samples: 4, photometric: 5 }, ['image.cmyk']],
    ['CIELAB', { bits: 8, photometric: 8 }, ['image.lab']],
    ['floats', { bits: 32, format: 3 }, ['image.deep', 'image.floats']],
    ['signed integers', { bits: 16, format: 2 }, ['image.deep', 'image.floats']],
    ['a saved selection', { bits: 16, samples: 4, extras: [0] }, ['image.deep', 'image.channels']],
    ['plain colours of 16 bits', { bits: 16 }, ['image.deep']],
  ])('says what the samples will be read as: %s', async (_, how, expected) => {
    const file = tiff({ ...how, data: Uint8Array.from({ length: (pixels * (how.samples ?? 3) * how.bits) / 8 }, (_byte, i) => i & 63) });
    expect((await readFacts(file)).notices.map(({ code }) => code).sort()).toEqual([...expected].sort());
    expect(await codes(file)).toEqual(expect.arrayContaining([...expected]));
  });
});

describe('wide integers that hold narrow values', () => {
  it.each<[string, number, number, number]>([
    ['8-bit values in 32 bits', 32, 255, 1],
    ['16-bit values in 32 bits', 32, 65535, 1],
    ['8-bit values in signed 16 bits', 16, 255, 2],
  ])('are read as those: %s', async (_, bits, white, format) => {
    const values = ramp(3).map((value) => Math.round(value * white));
    const data = bytesOf(values, bits / 8, (b, v, at) => (bits === 32 ? b.writeUInt32LE(v, at) : b.writeInt16LE(v, at)));
    const file = tiff({ bits, format, data });
    await expectSamples(
      file,
      values.map((value) => Math.round((value * 65535) / white)),
    );
    const { notices } = await openPhoto(file);
    expect(notices.find(({ code }) => code === 'image.floats')?.message).toContain(`${String(white)} was taken for white`);
  });
});

describe('numbers of other kinds', () => {
  const values = ramp(3);
  it.each<[string, Uint8Array, number]>([
    ['32-bit floats', tiff({ bits: 32, format: 3, data: bytesOf(values, 4, (b, v, at) => b.writeFloatLE(v, at)) }), 0],
    [
      '32-bit floats, big-endian',
      tiff({ bits: 32, format: 3, little: false, data: bytesOf(values, 4, (b, v, at) => b.writeFloatBE(v, at)) }),
      0,
    ],
    ['64-bit floats', tiff({ bits: 64, format: 3, data: bytesOf(values, 8, (b, v, at) => b.writeDoubleLE(v, at)) }), 0],
    ['halves', tiff({ bits: 16, format: 3, data: bytesOf(values, 2, (b, v, at) => b.writeUInt16LE(half(v), at)) }), 17],
    [
      'deflated floats',
      tiff({ bits: 32, format: 3, compression: 8, data: deflateSync(bytesOf(values, 4, (b, v, at) => b.writeFloatLE(v, at))) }),
      0,
    ],
    ['unsigned 32 bits', tiff({ bits: 32, data: bytesOf(values, 4, (b, v, at) => b.writeUInt32LE(Math.round(v * 0xffff_ffff), at)) }), 0],
    [
      'signed 32 bits',
      tiff({ bits: 32, format: 2, data: bytesOf(values, 4, (b, v, at) => b.writeInt32LE(Math.round(v * 0x7fff_ffff), at)) }),
      0,
    ],
    [
      'signed 16 bits',
      tiff({ bits: 16, format: 2, data: bytesOf(values, 2, (b, v, at) => b.writeInt16LE(Math.round(v * 0x7fff), at)) }),
      1,
    ],
  ])('%s become 16 bits, and it says so', async (_, file, tolerance) => {
    await expectSamples(file, whole16(values), tolerance);
    expect(await codes(file)).toContain('image.floats');
    expect(await readFacts(file)).toMatchObject({ bitDepth: 16, size: { width, height } });
  });

  it.each([10, 12, 14])('%i bits are stretched to 16', async (bits) => {
    const values = ramp(3).map((value) => Math.round(value * (2 ** bits - 1)));
    const row = width * 3;
    const data = Buffer.alloc(Math.ceil((row * bits) / 8) * height);
    values.forEach((value, i) => {
      const start = Math.trunc(i / row) * Math.ceil((row * bits) / 8) * 8 + (i % row) * bits;
      for (let bit = 0; bit < bits; bit++) if ((value >> (bits - 1 - bit)) & 1) data[(start + bit) >> 3]! |= 128 >> ((start + bit) & 7);
    });
    await expectSamples(
      tiff({ bits, data }),
      values.map((value) => Math.round((value * 65535) / (2 ** bits - 1))),
    );
  });

  it('floats of a profile are values of that profile, and what is above 1 is clipped with a word', async () => {
    const icc = await builtInProfile('p3');
    const values = ramp(3).map((value, i) => (i === 7 ? 1.5 : value));
    const file = tiff({
      bits: 32,
      format: 3,
      data: bytesOf(values, 4, (b, v, at) => b.writeFloatLE(v, at)),
      more: [[34675, 7, icc.length, icc]],
    });
    const photo = await openPhoto(file);
    expect(photo.icc).toEqual(icc);
    expect(photo.samples[7]).toBe(65535);
    expect(photo.notices.find(({ code }) => code === 'image.floats')?.message).toContain('clipped');
    expect(
      (await openPhoto(tiff({ bits: 32, format: 3, data: bytesOf(ramp(3), 4, (b, v, at) => b.writeFloatLE(v, at)) }))).notices[1]?.message,
    ).not.toContain('clipped');
  });

  it('floats up to 255 are taken for what they are, and so are gray ones and what is not a number', async () => {
    const values = ramp(1).map((value) => value * 254 + 1);
    const file = tiff({ bits: 32, format: 3, samples: 1, photometric: 1, data: bytesOf(values, 4, (b, v, at) => b.writeFloatLE(v, at)) });
    await expectSamples(
      file,
      values.map((value) => Math.round(value * 257)),
      1,
    );
    const broken = tiff({
      bits: 32,
      format: 3,
      samples: 1,
      photometric: 1,
      data: bytesOf(
        ramp(1).map((v, i) => (i === 3 ? NaN : v)),
        4,
        (b, v, at) => b.writeFloatLE(v, at),
      ),
    });
    expect((await openPhoto(broken)).samples[3]).toBe(0);
  });

  it('white may be 0', async () => {
    const file = tiff({ bits: 12, samples: 1, photometric: 0, data: Buffer.alloc(Math.ceil((width * 12) / 8) * height) });
    expect((await openPhoto(file)).samples.every((value) => value === 65535)).toBe(true);
  });
});

describe('further channels', () => {
  const five = ramp(5).map((value) => Math.round(value * 65535));
  const words = (values: readonly number[]) => bytesOf(values, 2, (b, v, at) => b.writeUInt16LE(v, at));
  const only = (places: readonly number[]) => five.filter((_, i) => places.includes(i % 5));

  it('a saved selection is no transparency: the colours stay, and a TIFF keeps the channel to the bit', async () => {
    const bytes = ramp(4).map((value) => Math.round(value * 255));
    const file = tiff({ bits: 8, samples: 4, extras: [0], data: Uint8Array.from(bytes) });
    const photo = await openPhoto(file);
    expect([photo.channels, photo.extra?.count]).toEqual([3, 1]);
    expect(Array.from(photo.samples)).toEqual(bytes.filter((_, i) => i % 4 < 3));
    expect(photo.notices.map(({ code }) => code)).toContain('image.channels');
    const again = await openPhoto(await encodePhoto(photo, { format: 'tiff', quality: 90 }));
    expect(again.extra).toEqual(photo.extra);
    expect(again.samples).toEqual(photo.samples);
    expect(lossesOf(photo, 'tiff')).toEqual([]);
    for (const format of ['png', 'jpeg', 'webp', 'avif'] as const)
      expect(lossesOf(photo, format).map(({ code }) => code)).toContain('output.channels');
  });

  it.each([
    ['neither is transparency', [0, 0], [0, 1, 2], [3, 4]],
    ['the fourth is', [2, 0], [0, 1, 2, 3], [4]],
    ['the fifth is', [0, 2], [0, 1, 2, 4], [3]],
  ] as const)('five samples of 16 bits where %s', async (_, extras, own, others) => {
    for (const little of [true, false]) {
      const data = little ? words(five) : Buffer.from(words(five)).swap16();
      const photo = await openPhoto(tiff({ bits: 16, samples: 5, extras, data, little }));
      expect(Array.from(photo.samples)).toEqual(only(own));
      expect(Array.from(photo.extra!.samples)).toEqual(only(others));
      const again = await openPhoto(await encodePhoto(photo, { format: 'tiff', quality: 90 }));
      expect([again.samples, again.extra]).toEqual([photo.samples, photo.extra]);
    }
  });

  it('stored plane by plane, and turned', async () => {
    const planes = [0, 1, 2, 3, 4].flatMap((place) => only([place]));
    const turned = Buffer.from([6, 0]);
    const photo = await openPhoto(
      tiff({ bits: 16, samples: 5, extras: [0, 0], separate: true, data: words(planes), more: [[274, 3, 1, turned]] }),
    );
    expect(photo.extent).toEqual({ width: height, height: width });
    // Orientation 6: what is at the top right was stored at the top left.
    expect(Array.from(photo.samples.subarray((height - 1) * 3, height * 3))).toEqual(five.slice(0, 3));
    expect(Array.from(photo.extra!.samples.subarray((height - 1) * 2, height * 2))).toEqual(five.slice(3, 5));
  });

  it('a fourth sample that nobody names is transparency, as those who leave its name out mean it', async () => {
    expect((await openPhoto(tiff({ bits: 8, samples: 4, data: new Uint8Array(pixels * 4) }))).channels).toBe(4);
  });

  it('colours multiplied by alpha are divided again, and give the same bytes multiplied', async () => {
    const stored = ramp(4).map((value, i) => (i % 4 === 3 ? 128 : Math.round(value * 128)));
    const { samples } = await openPhoto(tiff({ bits: 8, samples: 4, extras: [1], data: Uint8Array.from(stored) }));
    stored.forEach((value, i) => {
      if (i % 4 < 3) expect(Math.round((samples[i]! * 128) / 255)).toBe(value);
    });
  });
});

describe('colours of other models', () => {
  it('8-bit CIELAB is converted with the known values of its corners', async () => {
    // White, black, the red and the blue of sRGB (CIE 1976, D50), and a middle gray.
    const lab = [255, 0, 0, 0, 0, 0, 138, 81, 70, 75, 68, -112 + 256, 136, 0, 0];
    const file = tiffOfHand({ width: 5, height: 1, bits: 8, samples: 3, photometric: 8, data: Uint8Array.from(lab) });
    const { samples, notices, icc } = await openPhoto(file);
    const expected = [255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255, 127, 127, 127];
    expected.forEach((value, i) => {
      expect(Math.abs(samples[i]! - value)).toBeLessThanOrEqual(4);
    });
    expect(notices.map(({ code }) => code)).toEqual(['image.lab']);
    expect(icc).toBeUndefined();
  });

  it('ink with further channels is converted as ink without them', async () => {
    const ink = ramp(5).map((value) => Math.round(value * 255));
    const file = tiff({ bits: 8, samples: 5, photometric: 5, extras: [0], data: Uint8Array.from(ink) });
    const plain = tiff({ bits: 8, samples: 4, photometric: 5, data: Uint8Array.from(ink.filter((_, i) => i % 5 < 4)) });
    expect((await openPhoto(file)).samples).toEqual((await openPhoto(plain)).samples);
    expect(await codes(file)).toEqual(['image.cmyk', 'image.channels']);
  });
});

describe('what is refused, by name', () => {
  it.each([
    ['LZMA', 34925],
    ['Zstandard', 50000],
    ['LERC', 34887],
    ['JPEG XL', 50002],
    ['JPEG 2000', 34712],
  ])('a TIFF compressed with %s', async (name, compression) => {
    const file = tiff({ bits: 8, compression, data: new Uint8Array(100) });
    await expect(openPhoto(file)).rejects.toMatchObject({ code: 'image.unsupported', message: expect.stringContaining(name) as string });
    await expect(readFacts(file)).rejects.toMatchObject({ code: 'image.unsupported' });
  });

  it('a picture of which no strip can be read, and one that claims more than any has', async () => {
    await expect(openPhoto(tiff({ bits: 32, format: 3, compression: 8, data: new Uint8Array(100).fill(7) }))).rejects.toMatchObject({
      code: 'image.unreadable',
    });
    const giant = tiffOfHand({ width: 60_000, height: 60_000, bits: 32, samples: 3, photometric: 2, data: new Uint8Array(8) });
    await expect(readFacts(giant)).rejects.toMatchObject({ code: 'image.too-large' });
  });
});

it('reads LZW, PackBits, tiles and differences as the decoder does', async () => {
  const { samples } = makePhoto({ width: 70, height: 50, deep: true });
  const picture = sharp(samples, { raw: { width: 70, height: 50, channels: 3 } }).toColourspace('rgb16');
  for (const options of [
    { compression: 'lzw', predictor: 'horizontal' },
    { compression: 'lzw', predictor: 'none', tile: true, tileWidth: 32, tileHeight: 16 },
    { compression: 'deflate' },
    { compression: 'packbits' },
  ] as const) {
    const file = new Uint8Array(await picture.clone().tiff(options).toBuffer());
    expect((await openPhoto(asSigned(file))).samples).toEqual(
      samples.map((value) => (value < 0x8000 ? Math.round((value * 65535) / 0x7fff) : 0)),
    );
  }
});

/** The same file, saying that its samples are signed: the decoder is not trusted with those, so they are read here. */
function asSigned(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = view.getUint32(4, true);
  for (let i = 0; i < view.getUint16(at, true); i++) {
    const entry = at + 2 + i * 12;
    if (view.getUint16(entry, true) !== 339) continue;
    const count = view.getUint32(entry + 4, true);
    const place = count > 2 ? view.getUint32(entry + 8, true) : entry + 8;
    for (let sample = 0; sample < count; sample++) view.setUint16(place + sample * 2, 2, true);
  }
  return file;
}

describe('ink beside transparency', () => {
  /** Cyan, magenta, yellow, black, and alpha: half of the picture is see-through. */
  const inks = (alpha: number, premultiplied: boolean) =>
    [51, 102, 0, 0].map((ink) => (premultiplied ? Math.round((ink * alpha) / 255) : ink));
  const file = (kind: number, deep: boolean): Uint8Array => {
    const values = Array.from({ length: pixels }, (_, i) => (i % width < 8 ? 255 : 85)).flatMap((alpha) => [
      ...inks(alpha, kind === 1),
      alpha,
    ]);
    const data = deep ? bytesOf(values, 2, (buffer, value, at) => buffer.writeUInt16LE(value * 257, at)) : Uint8Array.from(values);
    return tiff({ bits: deep ? 16 : 8, data, samples: 5, photometric: 5, extras: [kind] });
  };
  const plain = () => tiff({ bits: 8, data: Uint8Array.from(Array.from({ length: pixels }, () => inks(255, false)).flat()), samples: 4, photometric: 5 }); // prettier-ignore

  it.each([
    [2, false],
    [2, true],
    [1, false],
  ])('of kind %i, deep %s: it is kept, and colours are those without it', async (kind, deep) => {
    const photo = await openPhoto(file(kind, deep));
    expect(photo.channels).toBe(4);
    expect(photo.notices.map(({ code }) => code)).toEqual(['image.cmyk']);
    const { samples: colours, channels } = await openPhoto(plain());
    for (let i = 0; i < pixels; i++) {
      expect(photo.samples[i * 4 + 3]).toBe(i % width < 8 ? 255 : 85);
      for (let c = 0; c < 3; c++) expect(Math.abs(photo.samples[i * 4 + c]! - colours[i * channels + c]!)).toBeLessThan(3);
    }
    const again = await openPhoto(await encodePhoto(photo, { format: 'tiff', quality: 90 }));
    expect(again.samples).toEqual(photo.samples);
    expect(await readFacts(file(kind, deep))).toMatchObject({ hasAlpha: true });
  });

  it('is a further channel where the file calls it unspecified, or says nothing', async () => {
    expect(await codes(file(0, false))).toEqual(['image.cmyk', 'image.channels']);
    const unsaid = tiff({ bits: 8, data: new Uint8Array(pixels * 5), samples: 5, photometric: 5 });
    expect(await codes(unsaid)).toEqual(['image.cmyk', 'image.channels']);
  });
});
