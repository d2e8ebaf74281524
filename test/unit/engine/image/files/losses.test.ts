import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPhoto, openWithoutPixels } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { allLosses } from '#engine/image/files/losses.js';
import { slimmed } from '#engine/image/files/slim/slim.js';
import { Source } from '#engine/image/files/slim/source.js';
import { fileKind } from '#engine/image/files/file-kind.js';
import { folderOfFormats } from '../../../../support/folder-of-formats.js';
import { moreFormats } from '../../../../support/folder-of-formats-more.js';
import { makePhoto } from '../pictures.js';

const cases = [...(await folderOfFormats()), ...(await moreFormats())].filter(({ refused }) => !refused);

describe('what a kind of file cannot hold', () => {
  it.each(cases.map((one) => [one.name, one.bytes] as const))('is the same from the header of %s as from all of it', async (_, bytes) => {
    const head = slimmed(fileKind(bytes), Source.of(bytes), true);
    const [known, whole] = [await openWithoutPixels(head), await openPhoto(bytes)];
    // Whether transparency is used, only the samples tell.
    expect(known === undefined).toBe(whole.channels % 2 === 0);
    if (known) expect(allLosses(known)).toEqual(allLosses(whole));
  });

  it('is told without a pixel: the file may end behind its header', async () => {
    const photo = { ...makePhoto({ width: 600, height: 400, deep: true }), iptc: new Uint8Array(Buffer.from('\x1c\x02\x19\0\x05heron')) };
    const bytes = await encodePhoto(photo, { format: 'png', quality: 90 });
    const cut = bytes.subarray(0, Buffer.from(bytes).indexOf('IDAT') + 400);
    const known = await openWithoutPixels(cut);
    expect(known?.samples).toHaveLength(0);
    expect(allLosses(known!).webp.notices.map(({ code }) => code)).toEqual(['output.depth', 'output.metadata']);
    await expect(sharp(cut).raw().toBuffer()).rejects.toThrow();
  });
});
