import { afterAll, beforeAll, expect, test } from 'vitest';
import { HEAVY } from '../support/heavy-metadata.js';
import { familyOf, forgetPeaks, peakRssBytes, rssBytes } from '../support/peak-memory.js';
import { scenePng } from '../support/pictures.js';
import { startLiveServer, type LiveServer } from '../support/running-server.js';

const HEAVY_BYTES = 64 * 2 ** 20;
const MOST_BYTES = 300 * 2 ** 20;
/** Of each format what cost most; `slim.test.ts` has all of them. */
const WORST = [
  'JPEG, XMP over many segments',
  'PNG, iTXt of XMP',
  'PNG, tEXt in a million small chunks',
  'PNG, eXIf',
  'TIFF, XMP',
  'WebP, EXIF',
  'WebP, XMP',
  'AVIF, EXIF',
  'GIF, a comment',
];
let server: LiveServer;

/** How an edit of it ended. */
async function edited(bytes: Uint8Array): Promise<string | undefined> {
  const { id } = await server.link.upload(bytes, 'heavy');
  const ends: string[] = [];
  for await (const { type } of server.link.stream('edit.run', { task: 'edit', source: id, instruction: 'make it night' })) ends.push(type);
  await server.link.call('picture.close', { id });
  return ends.at(-1);
}

beforeAll(async () => {
  server = await startLiveServer();
  // What the model takes is there from now on.
  await edited(await scenePng(320, 240));
});

afterAll(() => server.stop());

test.skipIf(process.platform !== 'linux').each(WORST)(
  '64 MB beside the pixels take less than 300 MB of all processes together, and the picture is edited: %s',
  async (name) => {
    const bytes = await HEAVY[name]!(HEAVY_BYTES);
    const family = familyOf(server.child.pid ?? 0);
    forgetPeaks(family);
    const idle = rssBytes(family);
    expect(await edited(bytes)).toBe('done');
    expect(peakRssBytes(family) - idle).toBeLessThan(MOST_BYTES);
  },
);
