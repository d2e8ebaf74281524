import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { PackCard } from '#contract/pack-card.js';
import { EditRequest } from '#contract/request.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { renderScene } from '../../../support/pictures.js';

// What the engine keeps of photographs between runs changes no byte of what it makes of them.

const folder = path.resolve('models/sketch');
const pack = { card: v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8'))), folder };
const [width, height] = [600, 400];

async function photo(quality: number): Promise<Uint8Array> {
  const pixels = renderScene(width, height);
  return new Uint8Array(
    await sharp(pixels, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer(),
  );
}

async function edited(engine: LocalEngine, source: Uint8Array): Promise<Buffer> {
  const request = v.parse(EditRequest, {
    task: 'edit',
    source: 'a',
    instruction: 'make it warmer',
    provider: 'cpu',
    output: { format: 'jpeg' },
  });
  for await (const event of engine.run({ request, pack, pictures: { a: source } }, NEVER_CANCELLED)) {
    if (event.type === 'failed') throw new Error(event.error.message);
    if (event.type === 'candidate') return Buffer.from(event.candidate.picture);
  }
  throw new Error('Expected a candidate.');
}

test('the same request gives the same bytes, whatever came before it, and the same tokens whoever asks', async () => {
  const [one, two] = [await photo(90), await photo(60)];
  const [fresh, used] = [new LocalEngine(), new LocalEngine()];
  const expected = await edited(fresh, one);
  expect((await edited(used, two)).equals(expected)).toBe(false);
  const tokens = await used.tokenize(pack, one);
  expect((await edited(used, one)).equals(expected)).toBe(true);
  expect(await fresh.tokenize(pack, one)).toEqual(tokens);
}, 120_000);
