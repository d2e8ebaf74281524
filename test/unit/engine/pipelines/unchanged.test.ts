import { createHash } from 'node:crypto';
import sharp, { type Sharp } from 'sharp';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import { fakeModel } from '../../../support/fake-model.js';
import { maskPng, renderScene } from '../../../support/pictures.js';
import { makeExif, makePhoto, makePlacedExif } from '../image/pictures.js';

const size = { width: 96, height: 64 };

function scene(): Sharp {
  return sharp(renderScene(size.width, size.height), { raw: { ...size, channels: 3 } });
}

/** Words as a PNG holds them: the profile is attached, nothing is converted. */
function deep(channels: 1 | 2 | 3 | 4): Sharp {
  const { samples } = makePhoto({ ...size, channels, deep: true });
  return sharp(samples, { raw: { ...size, channels } }).toColourspace(channels <= 2 ? 'grey16' : 'rgb16');
}

function withExif(picture: Buffer, exif: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]);
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([picture.subarray(0, 2), head, body, picture.subarray(2)]);
}

const pictures: Record<string, Uint8Array> = {
  png: await scene().png().toBuffer(),
  jpeg: await scene().jpeg({ quality: 92 }).toBuffer(),
  webp: await scene().webp({ lossless: true }).toBuffer(),
  tiff: await scene().tiff({ compression: 'lzw' }).toBuffer(),
  wide: await scene().withIccProfile('p3').png().toBuffer(),
  gray: await scene().toColourspace('b-w').png().toBuffer(),
  palette: await scene().png({ palette: true, effort: 1 }).toBuffer(),
  alpha: await scene().ensureAlpha(0.5).png().toBuffer(),
  animated: await scene().gif().toBuffer(),
  deep: await deep(3).png().toBuffer(),
  'deep-alpha': await deep(4).png().toBuffer(),
  'deep-gray': await deep(1).png().toBuffer(),
  'deep-tiff': await deep(3).tiff({ compression: 'deflate' }).toBuffer(),
  turned: withExif(await scene().jpeg({ quality: 92 }).toBuffer(), makeExif(6)),
  placed: withExif(await scene().jpeg({ quality: 92 }).toBuffer(), makePlacedExif()),
  mask: await maskPng(size, { x: 40, y: 20, width: 20, height: 20 }),
};

const edit = { task: 'edit', instruction: 'red' } as const;
const fill = { task: 'fill', mask: 'mask', temperature: 1, seed: 5 } as const;
const margins = { left: 16, right: 8, top: 0, bottom: 24 };

/** What was right before files were read with more care, and must come out the same for ever. */
const REQUESTS: Readonly<Record<string, EditRequestInput>> = {
  'an edit of a PNG': { ...edit, source: 'png' },
  'an edit of a JPEG as JPEG': { ...edit, source: 'jpeg', output: { format: 'jpeg' } },
  'an edit of a WebP as WebP': { ...edit, source: 'webp', output: { format: 'webp' } },
  'an edit of a TIFF as TIFF': { ...edit, source: 'tiff', output: { format: 'tiff' } },
  'a masked edit in a wide profile': { ...edit, source: 'wide', mask: 'mask' },
  'an edit taken whole': { ...edit, source: 'png', whole: true },
  'an edit of a gray picture': { ...edit, source: 'gray' },
  'an edit of a palette': { ...edit, source: 'palette' },
  'an edit below transparency': { ...edit, source: 'alpha' },
  'an edit of an animation': { ...edit, source: 'animated' },
  'a fill at 16 bits': { ...fill, source: 'deep' },
  'a masked edit at 16 bits with alpha': { ...edit, source: 'deep-alpha', mask: 'mask' },
  'an edit of 16-bit gray': { ...edit, source: 'deep-gray' },
  'a fill of a 16-bit TIFF': { ...fill, source: 'deep-tiff', output: { format: 'tiff' } },
  'an edit of a turned photograph': { ...edit, source: 'turned', output: { format: 'jpeg' } },
  'an edit without the place': { ...edit, source: 'placed', output: { format: 'png', keepLocation: false } },
  'a fill with a soft edge': { ...fill, source: 'jpeg', blend: 7, output: { format: 'jpeg', quality: 75 } },
  'an expanded picture': { task: 'expand', source: 'png', margins, seed: 2, temperature: 1 },
  'an expanded picture in a wide profile': { task: 'expand', source: 'wide', margins, seed: 2, temperature: 1 },
  'a generated picture with its recipe': { task: 'generate', instruction: 'red', size, output: { format: 'png', recipe: true } },
};

/**
 * Sizes, samples and profile as another decoder reads them, and whether EXIF is there. Not the bytes of the file: the
 * compressors choose other, equally good ones on other processors. Arithmetic in floats stays out too: the model is a double.
 */
async function digestOf(file: Uint8Array): Promise<string> {
  const { width, height, depth, channels, icc, exif } = await sharp(file).metadata();
  const wide = depth === 'ushort';
  const space = wide ? (channels <= 2 ? 'grey16' : 'rgb16') : channels <= 2 ? 'b-w' : 'srgb';
  const samples = await sharp(file, { ignoreIcc: true }).toColourspace(space).raw({ depth }).toBuffer();
  const facts = JSON.stringify({ width, height, depth, channels, icc: icc?.length ?? 0, exif: exif !== undefined });
  return createHash('sha256').update(facts).update(samples).digest('hex').slice(0, 16);
}

async function resultOf(request: EditRequestInput): Promise<Uint8Array> {
  const job = {
    // Detail scales came later; without them nothing has changed.
    request: v.parse(EditRequest, { ...request, detail: 'off' }),
    pictures,
    model: fakeModel(),
    provider: 'fake',
    loadMs: 0,
    estimate: () => ({ ms: 1, bytes: 1 }),
    peakRssBytes: () => 1,
  };
  for await (const event of runPipeline(job, NEVER_CANCELLED)) if (event.type === 'candidate') return event.candidate.picture;
  throw new Error('Expected a candidate.');
}

it('every kind of request that was right gives the samples that it always gave', async () => {
  const found: Record<string, string> = {};
  for (const [name, request] of Object.entries(REQUESTS)) found[name] = await digestOf(await resultOf(request));
  // Edits of 8 bits are written by a kernel that counts in floats of 32 bits: the double's flat cells lie on halves of a level,
  // where some samples fall to the other side (by one level). In a wide
  // profile edits are fitted in the photograph's own colours. The sums that an edit is fitted by are added up in another order
  // since: one of 18,432 samples of a PNG lies one level from where it was.
  expect(found).toEqual({
    'a fill at 16 bits': 'c2d735358ddc2e0f',
    'a fill of a 16-bit TIFF': 'c2d735358ddc2e0f',
    'a fill with a soft edge': '92ad9f3c748eba25',
    'a generated picture with its recipe': '9e27217369a28fdc',
    'a masked edit at 16 bits with alpha': '665b1f7fb900f4f8',
    'a masked edit in a wide profile': '624a497a31ebd729',
    'an edit below transparency': 'a6f2366739435ff2',
    'an edit of 16-bit gray': '1d9de20ffc558bfb',
    'an edit of a JPEG as JPEG': '79d22290e4a1cf24',
    'an edit of a PNG': 'e1a932828c161e76',
    'an edit of a TIFF as TIFF': 'e1a932828c161e76',
    // Without the EXIF that the encoder made up: 25.4 dots per inch.
    'an edit of a WebP as WebP': 'c5fc81ab1b6ab23c',
    'an edit of a gray picture': '31daef1522eb9ce4',
    'an edit of a palette': '494c61d14d50d3b4',
    'an edit of a turned photograph': '2327aa14a8cc12f2',
    'an edit of an animation': 'e1a932828c161e76',
    'an edit taken whole': '9e27217369a28fdc',
    'an edit without the place': 'a0d19d286c4e2454',
    'an expanded picture': 'ad58a3ea0f24c439',
    'an expanded picture in a wide profile': '851586d4fa6e0872',
  });
});
