import { beforeEach, describe, expect, test } from 'vitest';
import { Batch, type BatchWish } from '#state/batch.svelte.js';
import { DEFAULT_SETTINGS } from '#document/request.js';
import { ending, FakeLink, STARTED } from './fake-link.js';

let link: FakeLink;
let wish: BatchWish;
let batch: Batch;
/** Node's files know of no folder. */
const file = (name: string, webkitRelativePath = '') => Object.assign(new File(['bytes'], name), { webkitRelativePath });
const states = () => batch.entries.map(({ source, state }) => `${source} ${state}`);

beforeEach(() => {
  link = new FakeLink();
  link.events = [STARTED, ...ending('made')];
  wish = { settings: { ...DEFAULT_SETTINGS, instruction: 'make it red', count: 4 }, draws: false };
  batch = new Batch(link, () => wish);
});

describe('a batch in the window', () => {
  test('takes pictures only, in the order of the command line', () => {
    batch.choose([file('b.png'), file('notes.txt'), file('a.jpg', 'in/a.jpg'), file('c.jpg', 'in/deeper/c.jpg')]);
    expect(states()).toEqual(['a.jpg waiting', 'b.png waiting']);
  });

  test('gives each file the same wish, one candidate in its own format, and lets go of every picture', async () => {
    batch.choose([file('b.png'), file('a.jpg')]);
    await batch.start();
    expect(states()).toEqual(['a.jpg done', 'b.png done']);
    expect(link.requests.map(({ instruction, count, previews, output }) => [instruction, count, previews, output?.format])).toEqual([
      ['make it red', 1, false, 'jpeg'],
      ['make it red', 1, false, 'png'],
    ]);
    expect(link.closed).toEqual(['upload-1', 'made', 'made-changed', 'upload-2', 'made', 'made-changed']);
    expect(batch.resultOf(batch.entries[0]!)?.name).toBe('a.jpg');
  });

  test('rests after the picture at work and goes on with the wish that it began with', async () => {
    batch.choose([file('a.png'), file('b.png')]);
    const first = batch.start();
    batch.pause();
    await first;
    expect(states()).toEqual(['a.png done', 'b.png waiting']);
    wish = { ...wish, settings: { ...wish.settings, instruction: 'make it blue' } };
    await batch.start();
    expect(states()).toEqual(['a.png done', 'b.png done']);
    expect(link.requests.at(-1)?.instruction).toBe('make it red');
  });

  test('lets the picture at work wait again when it is cancelled', async () => {
    link.events = [STARTED, new Promise(() => undefined)];
    batch.choose([file('a.png')]);
    const first = batch.start();
    await expect.poll(() => link.requests.length).toBe(1);
    batch.cancel();
    await first;
    expect([states(), batch.running]).toEqual([['a.png waiting'], false]);
  });

  test('starts nothing while words are missing', async () => {
    wish = { ...wish, settings: DEFAULT_SETTINGS };
    batch.choose([file('a.png')]);
    await batch.start();
    expect([batch.canStart, link.requests]).toEqual([false, []]);
  });
});
