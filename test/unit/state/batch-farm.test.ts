import { beforeEach, expect, test } from 'vitest';
import type { FarmEvent, FarmOrderInput } from '#contract/farm.js';
import { ExpectedError, toErrorData } from '#contract/errors.js';
import { DEFAULT_SETTINGS } from '#document/request.js';
import { Batch, type Shelf } from '#state/batch.svelte.js';
import { FakeLink } from './fake-link.js';

const BATCH = 'b'.repeat(32);
const plan = (name: string) => ({ source: name, output: name, format: 'png' as const });
const waiting = (name: string) => ({ ...plan(name), state: 'waiting' as const });
const file = (name: string) => Object.assign(new File(['bytes'], name), { webkitRelativePath: '' });

let link: FakeLink;
let shelved: string | null;
let batch: Batch;
let orders: FarmOrderInput[];
/** What the farm tells; a promise that never ends is a batch that goes on. */
let told: (FarmEvent | Promise<FarmEvent>)[];
const shelf: Shelf = { read: async () => shelved, write: async (text) => void (shelved = text) };
const windowOf = () => new Batch(link, () => ({ settings: { ...DEFAULT_SETTINGS, instruction: 'make it red' }, draws: false, mask: undefined }), shelf); // prettier-ignore
const states = () => batch.entries.map(({ source, state }) => `${source} ${state}`);

beforeEach(() => {
  [link, shelved, orders] = [new FakeLink(), null, []];
  link.table['farm.status'] = () => ({ address: 'redis://127.0.0.1:6379', workers: [], queues: [] });
  const first: FarmEvent = { type: 'batch', batch: BATCH, entries: ['a.png', 'b.png'].map(waiting) };
  const done: FarmEvent = { type: 'change', index: 0, entry: { ...plan('a.png'), state: 'done', ms: 5 }, pictures: ['made'] };
  const error = toErrorData(new ExpectedError('image.unreadable', 'Expected a picture.'));
  told = [first, done, { type: 'change', index: 1, entry: { ...plan('b.png'), state: 'refused', error } }];
  const run = link.stream;
  link.stream = ((name, input, signal) =>
    name === 'farm.run' ? tell(input as FarmOrderInput, signal) : run(name, input, signal)) as FakeLink['stream'];
  batch = windowOf();
});

async function* tell(order: FarmOrderInput, signal: Parameters<FakeLink['stream']>[2]): AsyncGenerator<FarmEvent, void> {
  orders.push(order);
  const left = new Promise<FarmEvent>((resolve) => {
    signal?.addEventListener('abort', () => {
      resolve({ type: 'cancelled' });
    });
  });
  for (const event of told) yield await Promise.race([event, left]);
}

test('has a choice where a farm is set, and none where there is none or it cannot be used', async () => {
  await batch.lookForFarm();
  expect(batch.farmAddress).toBe('redis://127.0.0.1:6379');
  link.table['farm.status'] = () => Promise.reject(new ExpectedError('farm.unsafe', 'Expected appendonly yes but received no.'));
  batch.onFarm = true;
  await batch.lookForFarm();
  expect([batch.farmAddress, batch.farmProblem, batch.onFarm]).toEqual([null, 'Expected appendonly yes but received no.', false]);
});

test('sends the pictures, and keeps the same list', async () => {
  batch.choose([file('a.png'), file('b.png')]);
  batch.onFarm = true;
  await batch.start();
  expect(states()).toEqual(['a.png done', 'b.png refused']);
  expect(orders).toMatchObject([{ entries: [{ output: 'a.png', request: { source: 'upload-1', instruction: 'make it red', previews: false } }, { output: 'b.png' }] }]); // prettier-ignore
  expect(link.requests).toEqual([]);
  expect((await batch.resultOf(batch.entries[0]!)).name).toBe('a.png');
});

test('leaves the batch to the farm, and finds it again by its id', async () => {
  told = [told[0]!, new Promise<FarmEvent>(() => undefined)];
  batch.choose([file('a.png'), file('b.png')]);
  batch.onFarm = true;
  const running = batch.start();
  await expect.poll(() => batch.isFarms).toBe(true);
  batch.pause();
  await running;
  expect([states(), link.asked.includes('farm.cancel')]).toEqual([['a.png waiting', 'b.png waiting'], false]);

  told = [{ type: 'change', index: 1, entry: { ...plan('b.png'), state: 'done', ms: 1 }, pictures: ['made-b'] }, { type: 'change', index: 0, entry: { ...plan('a.png'), state: 'done', ms: 1 }, pictures: ['made-a'] }]; // prettier-ignore
  batch = windowOf();
  await batch.recover();
  expect([batch.cutOff, batch.onFarm]).toEqual([true, true]);
  await batch.start();
  expect(orders.at(-1)).toEqual({ batch: BATCH });
  expect(states()).toEqual(['a.png done', 'b.png done']);
});

test('cancels on the farm, and lets it try what it refused again', async () => {
  const asked: unknown[] = [];
  link.table['farm.cancel'] = ({ batch: id }) => (asked.push(['cancel', id]), null);
  link.table['farm.retry'] = ({ batch: id }) => (asked.push(['retry', id]), { waiting: 1 });
  batch.choose([file('a.png'), file('b.png')]);
  batch.onFarm = true;
  await batch.start();
  told = [told[0]!, { type: 'change', index: 1, entry: { ...plan('b.png'), state: 'running' } }, new Promise<FarmEvent>(() => undefined)];
  const again = batch.retry();
  await expect.poll(() => batch.entries[1]?.state).toBe('running');
  await batch.cancel();
  await again;
  expect(asked).toEqual([['retry', BATCH], ['cancel', BATCH]]); // prettier-ignore
  expect(states()).toEqual(['a.png done', 'b.png waiting']);

  // What was cancelled does not wait on the farm any more, also where the window was loaded anew.
  batch = windowOf();
  await batch.recover();
  told = [{ type: 'change', index: 1, entry: { ...plan('b.png'), state: 'done', ms: 1 }, pictures: ['made-b'] }];
  await batch.start();
  expect(asked.at(-1)).toEqual(['retry', BATCH]);
  expect([asked.length, orders.at(-1), states()[1]]).toEqual([3, { batch: BATCH }, 'b.png done']);
});

test('lets a batch that another machine cancelled wait again before it is gone on with', async () => {
  const asked: unknown[] = [];
  link.table['farm.retry'] = ({ batch: id }) => (asked.push(id), { waiting: 1 });
  told = [told[0]!, { type: 'cancelled' }];
  batch.choose([file('a.png'), file('b.png')]);
  batch.onFarm = true;
  await batch.start();
  expect([states(), asked]).toEqual([['a.png waiting', 'b.png waiting'], []]);
  await batch.start();
  expect(asked).toEqual([BATCH]);
});

test('shows how far each picture is, and what it looks like, until it is done', async () => {
  const running = { ...plan('a.png'), state: 'running' as const };
  const progress = { scale: 2, of: 6 };
  let go: () => void = () => undefined;
  const later = new Promise<FarmEvent>((resolve) => {
    go = () => {
      resolve({ type: 'change', index: 0, entry: { ...running, state: 'done', ms: 1 }, pictures: ['made'] });
    };
  });
  told = [
    told[0]!,
    { type: 'change', index: 0, entry: running, progress: { ...progress, picture: 'seen' } },
    { type: 'change', index: 0, entry: running, progress: { scale: 1, of: 4, detail: true } },
    later,
  ];
  batch.choose([file('a.png'), file('b.png')]);
  batch.onFarm = true;
  const ended = batch.start();
  await expect.poll(() => batch.progress['a.png']).toEqual({ scale: 1, of: 4, detail: true, picture: 'seen' });
  go();
  await ended;
  expect(batch.progress).toEqual({});
});

test('says why the farm failed', async () => {
  told = [{ type: 'failed', error: toErrorData(new ExpectedError('farm.unreachable', 'Expected Redis.')) }];
  batch.choose([file('a.png')]);
  batch.onFarm = true;
  await batch.start();
  expect([states(), batch.farmProblem, batch.running]).toEqual([['a.png waiting'], 'Expected Redis.', false]);
});
