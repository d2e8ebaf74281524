import { describe, expect, test } from 'vitest';
import type { CheckpointReport, PackSummary } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import { Studio } from '#state/studio.svelte.js';
import { FakeLink } from './fake-link.js';

const REPORT: CheckpointReport = {
  name: 'mini',
  family: 'var',
  title: 'VAR-d3',
  licence: 'MIT',
  limits: [],
  parts: [],
  precisions: [],
  integers: 'unknown',
};
const PACK: PackSummary = {
  name: 'mini',
  family: 'var',
  title: 'VAR-d3',
  version: '1',
  builtIn: false,
  licence: 'MIT',
  sizeBytes: 1,
  folder: '/x',
  precision: 'float32',
};

function open(describe: NonNullable<FakeLink['table']['checkpoints.describe']> = () => REPORT) {
  const link = new FakeLink();
  link.table['checkpoints.describe'] = describe;
  return { link, studio: new Studio(link) };
}

describe('a published checkpoint', () => {
  test('is looked at when its paths are given, quotes and blank lines aside', async () => {
    const asked: unknown[] = [];
    const { studio } = open((input) => {
      asked.push(input);
      return REPORT;
    });
    await studio.checkpoint.change({ paths: '/a/var.pth\n\n "/b c/vae.pth" ' });
    expect(asked).toEqual([{ files: ['/a/var.pth', '/b c/vae.pth'], precision: 'float32', inPlace: true }]);
    expect(studio.checkpoint.report).toEqual(REPORT);
    await studio.checkpoint.change({ paths: ' ' });
    expect(studio.checkpoint.report).toBeUndefined();
    await studio.checkpoint.change({ name: 'mine' });
    expect(asked).toHaveLength(1);
  });

  test('that is refused says why, and only the last look counts', async () => {
    let answer: (report: CheckpointReport) => void = () => undefined;
    const { studio } = open(({ files }) => {
      if (files[0] === '/slow') return new Promise((resolve) => (answer = resolve));
      throw new ExpectedError('weights.refused', 'Expected a VAR transformer and its tokenizer but received var.');
    });
    const slow = studio.checkpoint.change({ paths: '/slow' });
    await studio.checkpoint.change({ paths: '/half' });
    answer(REPORT);
    await slow;
    expect(studio.checkpoint.report).toBeUndefined();
    expect(studio.checkpoint.error?.message).toMatch(/^Expected a VAR transformer/);
  });

  test('is imported with its precision, becomes the chosen pack, and shows how far it is', async () => {
    const { link, studio } = open();
    await studio.checkpoint.change({ paths: '/a' });
    await studio.checkpoint.change({ precision: 'int8' });
    link.importEvents = [
      { type: 'progress', doneBytes: 1, totalBytes: 4 },
      { type: 'imported', pack: PACK },
    ];
    const importing = studio.importCheckpoint();
    await Promise.resolve();
    expect(studio.checkpoint.progress).toBeDefined();
    expect(await importing).toBe(true);
    expect(link.imports).toEqual([{ files: ['/a'], precision: 'int8', inPlace: true }]);
    expect(studio.settings.pack).toBe('mini');
    expect(studio.checkpoint.progress).toBeUndefined();
  });

  test('is rounded as suits the machine, unless the user says otherwise', async () => {
    const { link, studio } = open(() => ({ ...REPORT, integers: 'AMX', offered: 'int8' }));
    await studio.checkpoint.change({ paths: '/a' });
    expect(studio.checkpoint.precision).toBe('int8');
    await studio.checkpoint.change({ precision: 'float32' });
    expect(studio.checkpoint.precision).toBe('float32');
    link.importEvents = [{ type: 'imported', pack: PACK }];
    await studio.importCheckpoint();
    expect(link.imports).toMatchObject([{ precision: 'float32' }]);
    studio.checkpoint.begin();
    expect(studio.checkpoint.precision).toBe('float32');
  });

  test('that estimates depth is offered for that, and the pack that draws stays', async () => {
    const { link, studio } = open();
    const depth: PackSummary = { ...PACK, name: 'small-depth', family: 'depth' };
    const own = studio.settings.pack;
    link.table['packs.list'] = () => [PACK, depth];
    link.importEvents = [{ type: 'imported', pack: depth }];
    await studio.checkpoint.change({ paths: '/d.onnx' });
    expect(await studio.importCheckpoint()).toBe(true);
    expect(studio.settings.pack).toBe(own);
    expect([studio.serviceInfo.packs, studio.serviceInfo.depthPacks]).toEqual([[PACK], [depth]]);
  });

  test.each<[string, FakeLink['importEvents'], RegExp | undefined]>([
    ['fails', [{ type: 'failed', error: { code: 'output.unwritable', message: 'Expected free bytes.', advice: '' } }], /free bytes/],
    ['is cancelled', [{ type: 'cancelled' }], undefined],
  ])('that %s leaves everything as it was', async (_, events, reason) => {
    const { link, studio } = open();
    await studio.checkpoint.change({ paths: '/a' });
    link.importEvents = events;
    expect(await studio.importCheckpoint()).toBe(false);
    expect(studio.settings.pack).toBe('studio');
    if (reason) expect(studio.checkpoint.error?.message).toMatch(reason);
    else expect(studio.checkpoint.error).toBeUndefined();
  });
});
