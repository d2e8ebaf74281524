import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FarmJob, FarmProgress } from '#contract/farm.js';
import { EditRequest } from '#contract/request.js';
import { packDigest } from '#farm/digest.js';
import { resultKey } from '#farm/job.js';
import { runFarmJob, type RunWatch } from '#farm/run-job.js';
import { FarmStore } from '#farm/store.js';
import { JobQueue } from '#jobs/queue.js';
import { openLibrary } from '#packs/library.js';
import { sha256 } from '#service/digest.js';
import { parseInput } from '#service/parse.js';
import { grayPng } from '../../support/fake-engine.js';
import { farmEngine } from '../../support/farm-engine.js';
import { smallCard, writePack } from '../../support/pack-folder.js';

let root: string;
let store: FarmStore;
const seen: FarmProgress[] = [];
/** What the previews held when they were told of. */
let previews: Promise<string>[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'farm-run-'));
  store = new FarmStore(join(root, 'store'));
  await store.open();
  await writePack(join(root, 'models'), smallCard('studio'));
  [seen.length, previews] = [0, []];
});
afterEach(() => rm(root, { recursive: true }));

async function run(wish: Pick<RunWatch, 'previews'>): Promise<string> {
  const library = openLibrary({ builtIn: [join(root, 'models')] });
  const source = await store.put(grayPng(4, 5));
  const request = parseInput(EditRequest, { task: 'edit', source, instruction: 'sleep 1', previews: false });
  const unnamed = { version: 1 as const, batch: 'b'.repeat(32), output: 'a.png', request, pack: packDigest([(await library.find('studio')).card]) }; // prettier-ignore
  const job: FarmJob = { ...unnamed, result: resultKey(unnamed, 'engine') };
  const onProgress = (progress: FarmProgress): void => {
    seen.push(progress);
    if (progress.picture !== undefined) previews.push(store.preview(progress.picture).then(sha256));
  };
  const watch = { signal: new AbortController().signal, ...wish, onProgress };
  await runFarmJob({ engine: farmEngine(), library, queue: new JobQueue(), store }, job, watch);
  const result = await store.result(job.result);
  return result?.pictures[0]?.picture ?? '';
}

const filesOf = (folder: string) => readdir(join(root, 'store', folder)).catch(() => []);

test('a picture that nobody watches tells its scales, and writes no previews', async () => {
  await run({ previews: false });
  expect(seen).toEqual([1, 2, 3].map((scale) => ({ scale, of: 3 })));
  expect(await filesOf('previews')).toEqual([]);
});

test('who watches sees each scale, which is gone with the end; the result is the same, under the same key', async () => {
  const watched = await run({ previews: true });
  expect(seen).toEqual([1, 2, 3].map((scale) => ({ scale, of: 3, picture: sha256(grayPng(scale, scale)) })));
  expect(await Promise.all(previews)).toEqual(seen.map(({ picture }) => picture));
  expect(await filesOf('previews')).toEqual([]);
  await expect(store.preview(seen[0]?.picture ?? '')).rejects.toMatchObject({ code: 'picture.unknown' });
  await rm(join(root, 'store', 'results'), { recursive: true });
  expect(await run({ previews: false })).toBe(watched);
});
