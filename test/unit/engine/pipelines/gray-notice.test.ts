import sharp from 'sharp';
import { expect, it } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { EditRequest } from '#contract/request.js';
import type { EditingModel } from '#engine/pipelines/model.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { fakeModel } from '../../../support/fake-model.js';
import { renderScene } from '../../../support/pictures.js';

const size = { width: 48, height: 48 };
const scene = () => sharp(renderScene(size.width, size.height), { raw: { ...size, channels: 3 } });
const pictures = { gray: await scene().toColourspace('b-w').png().toBuffer(), colour: await scene().png().toBuffer() };

/** One flat colour, `[1, 3, 32, 32]`. */
function flat(...colour: readonly number[]): FloatTensor {
  const picture = floats([1, 3, 32, 32]);
  colour.forEach((value, c) => picture.data.fill(value, c * 1024, (c + 1) * 1024));
  return picture;
}

/** A model that holds the source as a middle gray, which it is asked for first where nothing is shown, and makes it that colour. */
function making(after: FloatTensor): EditingModel {
  const pair = [flat(0.5, 0.5, 0.5), after];
  const fake = fakeModel();
  return { ...fake, coder: { ...fake.coder, decode: () => Promise.resolve(pair.shift() ?? after) } };
}

async function noticesOf(source: string, after: FloatTensor): Promise<readonly string[]> {
  const job = {
    request: v.parse(EditRequest, { task: 'edit', source, instruction: 'red', detail: 'off', whole: true, previews: false }),
    pictures,
    model: making(after),
    provider: 'fake',
    loadMs: 0,
    estimate: () => ({ ms: 1, bytes: 1 }),
    peakRssBytes: () => 1,
  };
  const said: string[] = [];
  for await (const event of runPipeline(job, NEVER_CANCELLED)) {
    if (event.type === 'started') said.push(...event.plan.notices.map(({ code }) => code));
    if (event.type === 'candidate') said.push(...(event.candidate.notices ?? []).map(({ code }) => code));
  }
  return said;
}

it('that a gray picture stays gray is said where the wish brings colour, and nowhere else', async () => {
  expect(await noticesOf('gray', flat(0.7, 0.5, 0.3))).toEqual(['image.gray']);
  expect(await noticesOf('gray', flat(0.8, 0.8, 0.8))).toEqual([]);
  expect(await noticesOf('gray', flat(0.3, 0.33, 0.32))).toEqual([]);
  expect(await noticesOf('colour', flat(0.7, 0.5, 0.3))).toEqual([]);
});
