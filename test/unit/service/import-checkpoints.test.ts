import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ImportEvent, ImportRequest, IntegerInstructions } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { Engine, InstalledPack, WriteWork } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { openRole } from '#engine/door/open-role.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { roundingErrors } from '#engine/weights/rounding-errors.js';
import { openLibrary, type Library } from '#packs/library.js';
import { describeCheckpoints, importCheckpoints } from '#service/import-checkpoints.js';

const TRANSFORMER = path.resolve('test/golden/var-mini/var_d3.pth');
const TOKENIZER = path.resolve('test/golden/var-mini/vae_ch32v64z8.pth');
const NEVER = { aborted: false, reason: undefined };
const local = new LocalEngine();

let root: string;
let library: Library;
let packs: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-import-'));
  packs = path.join(root, 'packs');
  library = openLibrary({ builtIn: [], user: packs });
});

afterEach(() => rm(root, { recursive: true }));

/** The true readers and writers, in this process. */
function engineWith(other: Partial<Engine> = {}): Engine {
  return {
    inspect: (file: string) => local.inspect(file),
    writeWeights: (work: WriteWork, signal: typeof NEVER) => local.writeWeights(work, signal),
    tokenizerFacts: (pack: InstalledPack) => local.tokenizerFacts(pack),
    ...other,
  } as Engine;
}

const REQUEST: ImportRequest = { files: [TRANSFORMER, TOKENIZER], name: 'mini', precision: 'int8' };

async function run(request: ImportRequest, engine = engineWith(), signal = NEVER): Promise<ImportEvent> {
  let last: ImportEvent | undefined;
  for await (const event of importCheckpoints({ engine, library }, request, signal)) last = event;
  return last!;
}

/** An engine whose process dies after some steps of writing. */
function dyingAfter(steps: number): Engine {
  return engineWith({
    async *writeWeights(work, signal) {
      let step = 0;
      for await (const event of local.writeWeights(work, signal)) {
        if ('bytes' in event && ++step > steps) throw new ExpectedError('inference.died', 'The inference process ended.');
        yield event;
      }
    },
  });
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe('files that stay where they are', () => {
  test('are named with their digest and are not copied, unless their precision changes', async () => {
    expect(await run({ ...REQUEST, name: 'mine', precision: 'half', inPlace: true })).toMatchObject({ type: 'imported' });
    // The tokenizer is stored in halves, and pictures are decoded in full.
    expect((await readdir(path.join(packs, 'mine'))).sort()).toEqual(['card.json', 'tokenizer.safetensors']);
    expect(await library.verify('mine')).toMatchObject({ ok: true });
    const { card } = await library.info('mine');
    const { mtimeMs } = await stat(TRANSFORMER);
    expect(card.files[0]).toMatchObject({ sha256: sha256(await readFile(TRANSFORMER)), at: { path: TRANSFORMER, modifiedMs: mtimeMs } });
    await run({ ...REQUEST, name: 'smaller', inPlace: true });
    expect((await readdir(path.join(packs, 'smaller'))).sort()).toEqual(['card.json', 'tokenizer.safetensors', 'transformer.safetensors']);
    await library.remove('mine');
    expect((await stat(TRANSFORMER)).isFile()).toBe(true);
  });

  test('are refused when they were changed since, and missed when they are gone', async () => {
    const file = path.join(root, 'var_d3.pth');
    await copyFile(TRANSFORMER, file);
    await run({ ...REQUEST, name: 'mine', files: [file, TOKENIZER], precision: 'half', inPlace: true });
    await utimes(file, 1, 1);
    const pack = await library.find('mine');
    await expect(openRole(pack, 'transformer')).rejects.toMatchObject({ code: 'pack.damaged', message: /it was changed since/u });
    await rm(file);
    await expect(openRole(pack, 'transformer')).rejects.toMatchObject({ message: expect.stringContaining('var_d3.pth') as string });
  });

  test('cannot be named by a pack that someone else made', async () => {
    await run({ ...REQUEST, name: 'mine', precision: 'half', inPlace: true });
    const elsewhere = path.join(root, 'theirs');
    await rename(path.join(packs, 'mine'), elsewhere);
    await expect(library.import(elsewhere)).rejects.toMatchObject({ code: 'pack.damaged', message: /names a file elsewhere/u });
  });
});

describe('what the tokenizer of an imported pack keeps', () => {
  test('is measured and noted in its card, to a quarter of a pixel', async () => {
    await run(REQUEST);
    const pack = await library.find('mini');
    const { resolves, lettersFromPx } = await local.tokenizerFacts(pack);
    expect(pack.card.resolves).toBeCloseTo(resolves, 0);
    expect(pack.card.lettersFromPx).toBe(lettersFromPx);
    expect((pack.card.resolves! * 4) % 1).toBe(0);
  });

  test('is left open where it cannot be measured: the pack is there all the same', async () => {
    const tokenizerFacts = () => Promise.reject(new ExpectedError('memory.too-little', 'Too little.'));
    expect(await run(REQUEST, engineWith({ tokenizerFacts }))).toMatchObject({ type: 'imported' });
    expect((await library.find('mini')).card.resolves).toBeUndefined();
    const broken = () => Promise.reject(new Error('a bug'));
    expect(await run({ ...REQUEST, name: 'other' }, engineWith({ tokenizerFacts: broken }))).toMatchObject({ type: 'failed' });
  });
});

describe('what published files would become', () => {
  /** As on a machine with these instructions, whose products are exact, and with layers that int8 changes by so much. */
  const described = (integers: IntegerInstructions, error?: number) => {
    const engine = engineWith({
      forecast: (job) => local.forecast(job),
      machine: async () => ({ ...(await local.machine()), integers }),
      roundingErrors: async (file) =>
        error === undefined ? roundingErrors(await openCheckpoint(file), false) : { float32: 0, half: 0, int8: error, int4: 1 },
    });
    return describeCheckpoints({ engine, library }, { ...REQUEST, precision: 'float32' });
  };

  test('says what each precision changes in its layers, as measured on them', async () => {
    const { precisions } = await described('AMX');
    const errors = Object.fromEntries(precisions.map(({ precision, error }) => [precision, error]));
    expect(errors).toMatchObject({ float32: 0, half: 0 });
    expect(errors['int8']).toBeGreaterThan(0.003);
    expect(errors['int8']).toBeLessThan(0.03);
    expect(errors['int4']).toBeGreaterThan(2 * errors['int8']!);
  });

  test.each([
    ['AMX', undefined, 'int8'],
    ['AVX-512 VNNI', undefined, 'int8'],
    ['none', undefined, undefined],
    ['unknown', undefined, undefined],
    ['AMX', 0.2, undefined],
  ] as const)(
    'is offered at int8 where the machine (%s) is fast at it and it changes little (%s): %s',
    async (integers, error, offered) => {
      expect(await described(integers, error)).toMatchObject({ integers, ...(offered && { offered }) });
      expect((await described(integers, error)).offered).toBe(offered);
    },
  );
});

describe('an import that was broken off', () => {
  test('goes on in the same file, to the same pack, and leaves nothing else', async () => {
    expect(await run({ ...REQUEST, name: 'whole' })).toMatchObject({ type: 'imported' });
    expect(await run(REQUEST, dyingAfter(30))).toMatchObject({ type: 'failed', error: { code: 'inference.died' } });
    const [unfinished = ''] = (await readdir(packs)).filter((name) => name.startsWith('.'));
    const partial = path.join(packs, unfinished, 'transformer.safetensors');
    const { ino, size } = await stat(partial);
    expect(size).toBeGreaterThan(10_000);
    expect(await run(REQUEST)).toMatchObject({ type: 'imported', pack: { name: 'mini' } });
    expect((await stat(path.join(packs, 'mini', 'transformer.safetensors'))).ino).toBe(ino);
    expect(await readdir(packs)).toEqual(['mini', 'whole']);
    expect((await readdir(path.join(packs, 'mini'))).sort()).toEqual(['card.json', 'tokenizer.safetensors', 'transformer.safetensors']);
    expect((await library.info('mini')).card.files).toEqual((await library.info('whole')).card.files);
    expect((await library.verify('mini')).ok).toBe(true);
  });

  test('begins anew with other wishes or other files', async () => {
    await run(REQUEST, dyingAfter(30));
    expect(await run({ ...REQUEST, precision: 'float32' })).toMatchObject({ type: 'imported' });
    expect((await library.verify('mini')).ok).toBe(true);
  });

  test('is for one at a time, and a holder that is gone does not count', async () => {
    await run(REQUEST, dyingAfter(30));
    const [unfinished = ''] = await readdir(packs);
    const lock = path.join(packs, unfinished, '.lock');
    await writeFile(lock, '1'); // the first process of the system is always there
    expect(await run(REQUEST)).toMatchObject({ type: 'failed', error: { code: 'job.busy' } });
    await writeFile(lock, String(2 ** 30)); // no system counts that far
    expect(await run(REQUEST)).toMatchObject({ type: 'imported' });
  });

  test('by the user leaves nothing behind', async () => {
    const signal = { aborted: false, reason: undefined };
    const stopping = engineWith({
      async *writeWeights(work) {
        for await (const event of local.writeWeights(work, signal)) {
          yield event;
          signal.aborted = true;
        }
      },
    });
    expect(await run(REQUEST, stopping, signal)).toEqual({ type: 'cancelled' });
    expect(await readdir(packs)).toEqual([]);
  });
});

test('a copy that was cut goes on, and wrong bytes in it are written over', async () => {
  const wide = path.join(root, 'vae.safetensors');
  for await (const _ of local.writeWeights({ file: TOKENIZER, target: wide, precision: 'float32' }, NEVER)) continue;
  const request = { ...REQUEST, files: [TRANSFORMER, wide] };
  await run(request, dyingAfter(30));
  const [unfinished = ''] = await readdir(packs);
  const half = Buffer.from(await readFile(wide)).fill(7, 1000, 1100);
  await writeFile(path.join(packs, unfinished, 'tokenizer.safetensors'), half.subarray(0, half.length >> 1));
  expect(await run(request)).toMatchObject({ type: 'imported' });
  expect((await readFile(path.join(packs, 'mini', 'tokenizer.safetensors'))).equals(await readFile(wide))).toBe(true);
});

test('the card says what published files the pack was made of', async () => {
  await run(REQUEST);
  const { files } = (await library.info('mini')).card;
  expect(files.map(({ madeOf }) => madeOf)).toEqual([
    [{ name: 'var_d3.pth', sha256: sha256(await readFile(TRANSFORMER)) }],
    [{ name: 'vae_ch32v64z8.pth', sha256: sha256(await readFile(TOKENIZER)) }],
  ]);
});

test('space is asked for before anything is written', async () => {
  const engine = engineWith({
    async inspect(path) {
      const report = await local.inspect(path);
      return path === TOKENIZER ? { ...report, tensors: [{ name: 'a', dtype: 'float16', shape: [2 ** 50] }] } : report;
    },
  });
  const ended = await run(REQUEST, engine);
  expect(ended).toMatchObject({
    type: 'failed',
    error: { code: 'output.unwritable', message: expect.stringMatching(/free bytes/) as string },
  });
  expect(await readdir(packs)).toEqual([]);
});

describe('T5 in its published files', () => {
  const TEXT = path.resolve('test/golden/t5-mini');
  const files = ['canny_mini.pth', 'vq_mini.pt'].map((name) => path.resolve('test/golden/controlar-mini', name));

  /** Two files as the hub has them: the second holds a part of the decoder only. */
  async function shards(): Promise<string> {
    const folder = path.join(root, 't5');
    await mkdir(folder);
    const encoder = path.join(folder, 'model-00001-of-00002.safetensors');
    for await (const _ of local.writeWeights({ file: path.join(TEXT, 't5.pth'), target: encoder, precision: 'float32' }, NEVER)) continue;
    await rm(`${encoder}.journal`);
    const { tensors } = await local.inspect(encoder);
    const decoder = 'decoder.block.1.layer.0.SelfAttention.q.weight';
    const header = JSON.stringify({ [decoder]: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const second = path.join(folder, 'model-00002-of-00002.safetensors');
    await writeFile(second, Buffer.concat([length, Buffer.from(header), Buffer.alloc(16)]));
    const map = Object.fromEntries(tensors.map(({ name }) => [name, path.basename(encoder)]));
    const index = { weight_map: { ...map, [decoder]: path.basename(second) } };
    await writeFile(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    await copyFile(path.join(TEXT, 'tokenizer.json'), path.join(folder, 'blob'));
    // A cache of the hub is made of links.
    await symlink(path.join(folder, 'blob'), path.join(folder, 'tokenizer.json'));
    return folder;
  }

  test.each([
    ['one by one', ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']],
    ['by its index', ['model.safetensors.index.json']],
    ['by both', ['model-00001-of-00002.safetensors', 'model.safetensors.index.json', 'model-00002-of-00002.safetensors']],
  ])('%s becomes one encoder without a decoder', async (_, names) => {
    const folder = await shards();
    const text = [...names, 'tokenizer.json'].map((name) => path.join(folder, name));
    const ended = await run({ files: [...files, ...text], name: 'held', precision: 'float32', control: 'canny' });
    expect(ended).toMatchObject({ type: 'imported' });
    const { card, folder: made } = await library.info('held');
    expect(card.files.map(({ role }) => role).sort()).toEqual(['text', 'text-tokenizer', 'tokenizer', 'transformer']);
    const report = await local.inspect(path.join(made, card.files.find(({ role }) => role === 'text')!.name));
    expect(report.model).toMatchObject({ family: 't5-encoder', depth: 2 });
    expect(report.tensors.some(({ name }) => name.startsWith('decoder'))).toBe(false);
  });
});

test('a source that is cut while it is read is said to have changed', async () => {
  const source = path.join(root, 'var_d3.pth');
  await copyFile(TRANSFORMER, source);
  const cutting = engineWith({
    async *writeWeights(work, signal) {
      if (work.file === source) await truncate(source, 30_000);
      yield* local.writeWeights(work, signal);
    },
  });
  const ended = await run({ ...REQUEST, files: [source, TOKENIZER] }, cutting);
  expect(ended).toMatchObject({ type: 'failed' });
  expect(['weights.changed', 'weights.refused']).toContain(ended.type === 'failed' && ended.error.code);
  expect(await readdir(packs)).toEqual([]);
});
