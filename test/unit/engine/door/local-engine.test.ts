import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { PackCard } from '#contract/pack-card.js';
import { EditRequest } from '#contract/request.js';
import { CostModel } from '#engine/door/cost-model.js';
import type { EngineJob } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
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
  const request = v.parse(EditRequest, { task: 'edit', source: 'a', instruction: 'make it warmer', preset: 'best', provider: 'cpu' });
  const job: EngineJob = { request, pack: { card, folder }, pictures: { a: await scenePng(96, 64) } };
  const events: PipelineEvent[] = [];
  for await (const event of engine.run(job, { aborted: false, reason: undefined })) events.push(event);
  return events;
}

const ownBytes = (preset: 'best' | 'balanced' | 'fast' | 'draft') =>
  new CostModel(100).estimate(card, { preset, guided: card.defaults.guidance !== 1, pixels: PIXELS }).ownBytes;

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

  test('gives its previews up first', async () => {
    const events = await eventsWith(ownBytes('best') + 300 * MEBIBYTE);
    expect(events.at(-1)?.type).toBe('done');
    expect(events.some(({ type }) => type === 'preview')).toBe(false);
    expect(events[0]).toMatchObject({ type: 'started', plan: { notices: [{ code: 'previews.off' }] } });
  });
});
