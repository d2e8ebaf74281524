import { afterAll, beforeAll, expect, test } from 'vitest';
import { familyOf, rssBytes } from '../support/peak-memory.js';
import { scenePng } from '../support/pictures.js';
import { startLiveServer, type LiveServer } from '../support/running-server.js';

/** Only `npm run fuzz -- soak` asks for any: memory settles after some dozens. */
const EDITS = Number(process.env['SCALEBRUSH_SOAK'] ?? 0);
const WARM = EDITS / 10;
const MOST_GROWTH = 1.1;
const WISHES = ['make it night', 'make it warmer', 'make it black and white', 'remove the red ball'];
let server: LiveServer;

beforeAll(async () => {
  if (EDITS === 0) return;
  server = await startLiveServer();
});

afterAll(async () => {
  if (EDITS > 0) await server.stop();
});

/** As a window does it: a picture comes, is edited, results are looked at and closed. */
async function editOnce(number: number): Promise<void> {
  const { link } = server;
  const { id } = await link.upload(await scenePng(256 + 16 * (number % 8), 256), `scene-${String(number)}.png`);
  const made: string[] = [];
  let end = '';
  const request = { task: 'edit', source: id, instruction: WISHES[number % WISHES.length]!, seed: number } as const;
  for await (const event of link.stream('edit.run', request)) {
    end = event.type;
    if (event.type === 'candidate')
      made.push(event.candidate.picture, ...(event.candidate.changedMask ? [event.candidate.changedMask] : []));
  }
  expect(end).toBe('done');
  for (const picture of made) await link.download(picture);
  for (const picture of [id, ...made]) await link.call('picture.close', { id: picture });
}

/** Of `serve`, and of the process that it computes in. */
function memory(): readonly number[] {
  return familyOf(server.child.pid ?? 0).map((pid) => rssBytes([pid]));
}

test.skipIf(process.platform !== 'linux' || EDITS === 0)(
  `npm run fuzz -- soak: after ${String(EDITS)} edits by one server both of its processes hold no more than a tenth above what they held after ${String(WARM)}`,
  async () => {
    let before: readonly number[] = [];
    for (let number = 1; number <= EDITS; number++) {
      await editOnce(number);
      if (number === WARM) before = memory();
      if (number % 50 === 0) process.stdout.write(`${String(number)} edits: ${memory().map((bytes) => (bytes / 2 ** 20).toFixed(0)).join(' + ')} MB\n`); // prettier-ignore
    }
    const after = memory();
    expect(after).toHaveLength(2);
    for (const [i, bytes] of after.entries()) expect(bytes).toBeLessThanOrEqual(MOST_GROWTH * before[i]!);
  },
  120_000 + EDITS * 10_000,
);
