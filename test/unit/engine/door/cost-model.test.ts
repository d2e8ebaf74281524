import { expect, test } from 'vitest';
import { CostModel, openPackBytes, staysMapped, transformerWork } from '#engine/door/cost-model.js';
import { tinyCard } from '../../../support/tiny-card.js';

test('a lighter preset needs fewer operations and less memory for keys and values', () => {
  const best = transformerWork(tinyCard, 'best', false);
  const draft = transformerWork(tinyCard, 'draft', false);
  expect(draft.flops).toBeLessThan(best.flops);
  expect(draft.keyValueBytes).toBeLessThan(best.keyValueBytes);
});

test('guidance doubles both', () => {
  const plain = transformerWork(tinyCard, 'best', false);
  const guided = transformerWork(tinyCard, 'best', true);
  expect(guided).toEqual({ flops: plain.flops * 2, keyValueBytes: plain.keyValueBytes * 2 });
});

test('the operations of one pass follow 28·C² per token and layer plus attention', () => {
  const card = {
    ...tinyCard,
    config: {
      ...tinyCard.config,
      transformer: { ...tinyCard.config.transformer, depth: 1, width: 10, scales: [[1, 1] as [number, number]] },
    },
  };
  // source token sees 1 row, the one target token sees 2
  expect(transformerWork(card, 'best', false).flops).toBe(2800 + 40 + (2800 + 80));
});

test('measured runs pull the forecast towards them', () => {
  const costs = new CostModel(1000);
  const work = transformerWork(tinyCard, 'best', false);
  const before = costs.estimate(tinyCard, { preset: 'best', guided: false, pixels: 1e6 }).ms;
  for (let i = 0; i < 20; i++) costs.learn(tinyCard, work, { scalesMs: 500, restMs: 250, pixels: 1e6 });
  const after = costs.estimate(tinyCard, { preset: 'best', guided: false, pixels: 1e6 }).ms;
  expect(before).toBeLessThan(400);
  expect(after).toBeCloseTo(750, 0);
});

test('weights are repacked while that is a small part of the machine, and stay mapped beyond', () => {
  const bytes = tinyCard.files.reduce((sum, file) => sum + file.bytes, 0);
  expect(staysMapped(tinyCard, bytes * 4)).toBe(false);
  expect(staysMapped(tinyCard, bytes * 4 - 1)).toBe(true);
  expect(openPackBytes(tinyCard)).toBe(2.5 * bytes);
  expect(openPackBytes({ ...tinyCard, precision: 'int4' })).toBe(3.6 * bytes);
});

test('what a run takes by itself does not count the open pack', () => {
  const { bytes, ownBytes } = new CostModel(1000).estimate(tinyCard, { preset: 'best', guided: true, pixels: 1000 });
  expect(ownBytes).toBe(transformerWork(tinyCard, 'best', true).keyValueBytes + 24_000);
  expect(bytes).toBeGreaterThan(ownBytes + openPackBytes(tinyCard));
});
