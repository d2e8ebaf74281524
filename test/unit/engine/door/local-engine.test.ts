import { cp, mkdtemp, open, readFile, rm, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import sharp from 'sharp';
import * as v from 'valibot';
import { PackCard } from '#contract/pack-card.js';
import { EditRequest, type Preset } from '#contract/request.js';
import { CostModel } from '#engine/door/cost-model.js';
import type { EngineJob } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { openCheckpoint } from '#engine/weights/open.js';
import type { PipelineEvent } from '#engine/pipelines/model.js';
import { scenePng } from '../../../support/pictures.js';

const folder = path.resolve('models/sketch');
const card = v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8')));
const MEBIBYTE = 2 ** 20;
const PIXELS = 96 * 64;

/** The events of one edit on a machine with so much free memory after the pack was opened. */
async function eventsWith(freeBytes: number): Promise<PipelineEvent[]> {
  let asked = 0;
  const engine = new LocalEngine(() => (++asked === 1 ? 2 ** 40 : freeBytes));
  return eventsOf(engine, folder);
}

async function eventsOf(engine: LocalEngine, folder: string): Promise<PipelineEvent[]> {
  const request = v.parse(EditRequest, { task: 'edit', source: 'a', instruction: 'make it warmer', preset: 'best', provider: 'cpu' });
  const job: EngineJob = { request, pack: { card, folder }, pictures: { a: await scenePng(96, 64) } };
  const events: PipelineEvent[] = [];
  for await (const event of engine.run(job, { aborted: false, reason: undefined })) events.push(event);
  return events;
}

const costs = new CostModel(100);
const bytesOf = (preset: Preset) => costs.estimate(card, { preset, guided: card.defaults.guidance !== 1, pixels: PIXELS }).bytes;
const ownBytes = (preset: Preset) => bytesOf(preset) - costs.heldBytes(card, true);

describe('a run for which memory is too short', () => {
  test('is refused with the heaviest lighter preset that fits', async () => {
    const enough = ownBytes('fast') + 256 * MEBIBYTE;
    expect(ownBytes('balanced') + 256 * MEBIBYTE).toBeGreaterThan(enough);
    expect((await eventsWith(enough)).at(-1)).toMatchObject({
      type: 'failed',
      error: {
        code: 'memory.too-little',
        details: { preset: 'fast' },
        message: expect.stringContaining('try the preset "fast"') as string,
      },
    });
  });

  test('is refused without one where none fits', async () => {
    const last = (await eventsWith(MEBIBYTE)).at(-1);
    expect(last).toMatchObject({ type: 'failed', error: { code: 'memory.too-little' } });
    expect(last?.type === 'failed' && last.error.details?.['preset']).toBeUndefined();
  });

  test('is refused by a limit that an operator has set, as the forecast has said before', async () => {
    const engine = new LocalEngine(() => 2 ** 40, bytesOf('draft'));
    const request = v.parse(EditRequest, { task: 'edit', source: 'a', instruction: 'make it warmer', provider: 'cpu' });
    const forecast = await engine.forecast({ request, pack: { card, folder }, pictures: { a: await scenePng(96, 64) } });
    expect(forecast).toMatchObject({ availableBytes: bytesOf('draft'), best: { bytes: bytesOf('best') } });
    const details = { neededBytes: bytesOf('best'), availableBytes: bytesOf('draft'), preset: 'draft' };
    expect((await eventsOf(engine, folder)).at(-1)).toMatchObject({ type: 'failed', error: { code: 'memory.too-little', details } });
  });

  test('counts the parts of a mask that are worked on one after the other', async () => {
    const engine = new LocalEngine(() => 2 ** 40);
    const spots = sharp(Buffer.alloc(640 * 480), { raw: { width: 640, height: 480, channels: 1 } });
    const spot = await sharp({ create: { width: 20, height: 20, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    const mask = await spots.composite([{ input: spot, left: 20, top: 20 }, { input: spot, left: 580, top: 420 }]).png().toBuffer(); // prettier-ignore
    const pictures = { a: await scenePng(640, 480), mask };
    const forecast = async (more: object) => {
      const request = v.parse(EditRequest, { task: 'fill', source: 'a', provider: 'cpu', ...more });
      return (await engine.forecast({ request, pack: { card, folder }, pictures })).best;
    };
    const [one, two] = [await forecast({}), await forecast({ mask: 'mask' })];
    expect([two.ms / one.ms, two.bytes]).toEqual([2, one.bytes]);
  });

  test('has as much before its pack is open as afterwards', async () => {
    const free = ownBytes('best') + 256 * MEBIBYTE;
    const engine = new LocalEngine(() => free);
    const request = v.parse(EditRequest, { task: 'edit', source: 'a', control: { kind: 'canny' }, provider: 'cpu' });
    const job: EngineJob = { request, pack: { card, folder }, pictures: { a: await scenePng(96, 64) } };
    const before = await engine.forecast(job);
    await engine.controlMap(job);
    const after = await engine.forecast(job);
    expect(after.availableBytes - before.availableBytes).toBe(costs.heldBytes(card, true) - costs.heldBytes(card, false));
    expect(after.availableBytes).toBe(bytesOf('best'));
  });

  test('gives its previews up first', async () => {
    const events = await eventsWith(ownBytes('best') + 300 * MEBIBYTE);
    expect(events.at(-1)?.type).toBe('done');
    expect(events.some(({ type }) => type === 'preview')).toBe(false);
    expect(events[0]).toMatchObject({ type: 'started', plan: { notices: [{ code: 'previews.off' }] } });
  });
});

describe('weights that are not what they were', () => {
  let copy: string;
  const fileOf = (role: string) => path.join(copy, card.files.find((file) => file.role === role)!.name);
  const lastOf = async (engine: LocalEngine) => (await eventsOf(engine, copy)).at(-1);

  beforeEach(async () => {
    copy = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-weights-'));
    await cp(folder, copy, { recursive: true });
  });

  afterEach(() => rm(copy, { recursive: true }));

  test('replaced while they are open, they are said to have changed once, and the next run reads them anew', async () => {
    const engine = new LocalEngine();
    expect(await lastOf(engine)).toMatchObject({ type: 'done' });
    await rm(fileOf('transformer'));
    await cp(path.join(folder, path.basename(fileOf('transformer'))), fileOf('transformer'));
    expect(await lastOf(engine)).toMatchObject({ type: 'failed', error: { code: 'weights.changed' } });
    expect(await lastOf(engine)).toMatchObject({ type: 'done' });
  });

  test('cut while they are open, they are said to have changed, then to be damaged', async () => {
    const engine = new LocalEngine();
    expect(await lastOf(engine)).toMatchObject({ type: 'done' });
    await truncate(fileOf('tokenizer'), 5000);
    expect(await lastOf(engine)).toMatchObject({ type: 'failed', error: { code: 'weights.changed' } });
    expect(await lastOf(engine)).toMatchObject({ type: 'failed', error: { code: 'weights.refused' } });
  });

  test('with NaN in the decoder they are called damaged, and no black picture comes', async () => {
    const { tensors } = await openCheckpoint(fileOf('tokenizer'));
    const last = [...tensors.values()].filter(({ name }) => name.startsWith('decoder')).at(-1)!;
    const file = await open(fileOf('tokenizer'), 'r+');
    await file.write(Buffer.alloc(last.lengthBytes, 0xff), 0, last.lengthBytes, last.offsetBytes);
    await file.close();
    const events = await eventsOf(new LocalEngine(), copy);
    expect(events.at(-1)).toMatchObject({ type: 'failed', error: { code: 'weights.damaged' } });
    expect(events.some(({ type }) => type === 'candidate')).toBe(false);
  });

  test('of another depth than the card says they are refused by their number of layers', async () => {
    const deeper = { ...card, config: { ...card.config, transformer: { ...card.config.transformer, depth: 7 } } } as PackCard;
    const engine = new LocalEngine();
    const request = v.parse(EditRequest, { task: 'edit', source: 'a', instruction: 'make it warmer', provider: 'cpu' });
    const job: EngineJob = { request, pack: { card: deeper, folder: copy }, pictures: { a: await scenePng(96, 64) } };
    const events: PipelineEvent[] = [];
    for await (const event of engine.run(job, { aborted: false, reason: undefined })) events.push(event);
    expect(events).toMatchObject([
      { type: 'failed', error: { code: 'weights.refused', message: 'Expected 7 transformer blocks but received 6.' } },
    ]);
  });
});

test('what a tokenizer says alone is asked of it alone: no transformer is opened', async () => {
  const alone = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-tokenizer-'));
  try {
    for (const { role, name } of card.files) if (role === 'tokenizer') await cp(path.join(folder, name), path.join(alone, name));
    const [engine, whole] = [new LocalEngine(), new LocalEngine()];
    const [lone, pack] = [
      { card, folder: alone },
      { card, folder },
    ];
    const photo = await scenePng(96, 64);
    const tokens = await engine.tokenize(lone, photo);
    expect(tokens).toEqual(await whole.tokenize(pack, photo));
    expect(await engine.decode(lone, tokens, { format: 'png', quality: 100 })).toEqual(
      await whole.decode(pack, tokens, { format: 'png', quality: 100 }),
    );
    expect(await engine.tokenizerFacts(lone)).toEqual(await whole.tokenizerFacts(pack));
    expect((await engine.reportTokenizer(lone, [photo])).scales).toHaveLength(card.config.transformer.scales.length);
    expect((await eventsOf(engine, alone)).at(-1)).toMatchObject({ type: 'failed' });
  } finally {
    await rm(alone, { recursive: true });
  }
});
