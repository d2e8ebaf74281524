import { beforeEach, describe, expect, test } from 'vitest';
import { Batch, type BatchTable, type Shelf } from '#state/batch.svelte.js';
import { DEFAULT_SETTINGS } from '#document/request.js';
import { ending, FakeLink, infoOf, STARTED } from './fake-link.js';
import { ExpectedError } from '#contract/errors.js';

let link: FakeLink;
let wish: BatchTable;
let batch: Batch;
let shelved: string | null;
const shelf: Shelf = { read: async () => shelved, write: async (text) => void (shelved = text) };
/** Node's files know of no folder. */
const file = (name: string, webkitRelativePath = '') => Object.assign(new File(['bytes'], name), { webkitRelativePath });
const states = () => batch.entries.map(({ source, state }) => `${source} ${state}`);

beforeEach(() => {
  link = new FakeLink();
  link.events = [STARTED, ...ending('made')];
  shelved = null;
  wish = { settings: { ...DEFAULT_SETTINGS, instruction: 'make it red', count: 4 }, draws: false, mask: undefined };
  batch = new Batch(link, () => wish, shelf);
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
    expect(link.closed).toEqual(['upload-1', 'made-changed', 'upload-2', 'made-changed']);
    expect((await batch.resultOf(batch.entries[0]!)).name).toBe('a.jpg');
    batch.choose([]);
    expect(link.closed.slice(4)).toEqual(['made', 'made']);
  });

  test('makes its results ready for where they will be seen, as it was told when it began', async () => {
    batch.adapt = { longSide: 1600 };
    batch.choose([file('a.png')]);
    await batch.start();
    expect(link.requests[0]?.output?.adapt).toEqual({ longSide: 1600 });
  });

  test('rests after the picture at work and goes on with the wish that it began with', async () => {
    batch.choose([file('a.png'), file('b.png')]);
    link.table['picture.describe'] = ({ id }) => {
      batch.pause();
      return infoOf(id);
    };
    await batch.start();
    expect(states()).toEqual(['a.png done', 'b.png waiting']);
    wish = { ...wish, settings: { ...wish.settings, instruction: 'make it blue' } };
    link.table['picture.describe'] = ({ id }) => infoOf(id);
    await batch.start();
    expect(states()).toEqual(['a.png done', 'b.png done']);
    expect(link.requests.at(-1)?.instruction).toBe('make it red');
  });

  test('lets the picture at work wait again when it is cancelled', async () => {
    link.events = [STARTED, new Promise(() => undefined)];
    batch.choose([file('a.png')]);
    const first = batch.start();
    await expect.poll(() => link.requests.length).toBe(1);
    void batch.cancel();
    await first;
    expect([states(), batch.running]).toEqual([['a.png waiting'], false]);
  });

  test('takes all files in before the first is done, and refuses what is no picture', async () => {
    const upload = link.upload.bind(link);
    const log: string[] = [];
    link.upload = async (blob, name) => {
      log.push(`in ${name}`);
      if (name === 'b.png') throw new ExpectedError('image.unreadable', 'Expected a picture.');
      return upload(blob, name);
    };
    const run = link.stream;
    link.stream = ((...args: Parameters<typeof run>) => {
      log.push('run');
      return run(...args);
    }) as typeof run;
    batch.choose([file('a.png'), file('b.png'), file('c.png')]);
    await batch.start();
    expect(log).toEqual(['in a.png', 'in b.png', 'in c.png', 'run', 'run']);
    expect(states()).toEqual(['a.png done', 'b.png refused', 'c.png done']);
  });

  test('is held to the mask that was painted when it began, uploaded once', async () => {
    wish = { ...wish, mask: { toPng: async () => new Blob(['mask']) } };
    batch.choose([file('a.png'), file('b.png')]);
    expect([batch.canHold, batch.masked]).toEqual([true, false]);
    batch.holds = true;
    expect(batch.masked).toBe(true);
    await batch.start();
    expect(link.requests.map(({ mask }) => mask)).toEqual(['upload-1', 'upload-1']);
    wish = { ...wish, mask: undefined };
    expect([batch.canHold, batch.masked]).toEqual([false, true]);
  });

  test('refuses the files for which its mask could not be brought along, and nothing fails unsaid', async () => {
    const gone = new ExpectedError('service.unreachable', 'The studio does not answer.');
    wish = { ...wish, mask: { toPng: () => Promise.reject(gone) } };
    batch.choose([file('a.png')]);
    batch.holds = true;
    await batch.start();
    expect([states(), batch.entries[0]?.error?.code, batch.running]).toEqual([['a.png refused'], 'service.unreachable', false]);
  });

  test('with a mask needs no words, and with a border takes no mask', () => {
    wish = { ...wish, settings: DEFAULT_SETTINGS, mask: { toPng: async () => new Blob(['mask']) } };
    batch.choose([file('a.png')]);
    batch.holds = true;
    expect(batch.canStart).toBe(true);
    wish = { ...wish, settings: { ...DEFAULT_SETTINGS, margins: { left: 9, right: 0, top: 0, bottom: 0 } } };
    expect([batch.canHold, batch.masked]).toEqual([false, false]);
  });

  test('starts nothing while words are missing', async () => {
    wish = { ...wish, settings: DEFAULT_SETTINGS };
    batch.choose([file('a.png')]);
    await batch.start();
    expect([batch.canStart, link.requests]).toEqual([false, []]);
  });
});

describe('a page that is loaded anew', () => {
  /** One done, one refused, one at work, one waiting. */
  async function cutOff(): Promise<Batch> {
    const upload = link.upload.bind(link);
    link.upload = async (blob, name) => {
      if (name === 'b.png') throw new ExpectedError('image.unreadable', 'Expected a picture.');
      return upload(blob, name);
    };
    wish = { ...wish, mask: { toPng: async () => new Blob(['mask']) } };
    batch.choose(['a.png', 'b.png', 'c.png', 'd.png'].map((name) => file(name)));
    batch.holds = true;
    // The third file hangs.
    link.table['picture.describe'] = ({ id }) => {
      if (id === 'upload-3') link.events = [STARTED, new Promise(() => undefined)];
      return infoOf(id);
    };
    void batch.start();
    await expect.poll(() => link.requests.length).toBe(2);
    expect(states()).toEqual(['a.png done', 'b.png refused', 'c.png running', 'd.png waiting']);
    wish = { ...wish, settings: { ...DEFAULT_SETTINGS, instruction: 'something else' }, mask: undefined };
    batch = new Batch(link, () => wish, shelf);
    return batch;
  }

  test('goes on with the batch: its order, its results, its report', async () => {
    await cutOff();
    await batch.recover();
    expect([states(), batch.cutOff, batch.running]).toEqual([
      ['a.png done', 'b.png refused', 'c.png waiting', 'd.png waiting'],
      true,
      false,
    ]);
    expect(batch.report).toMatchObject({ done: 1, refused: 1, waiting: 2 });
    expect(batch.entries[1]?.error?.message).toBe('Expected a picture.');
    link.table['picture.describe'] = ({ id }) => infoOf(id);
    link.events = [STARTED, ...ending('made')];
    await batch.start();
    expect(states()).toEqual(['a.png done', 'b.png refused', 'c.png done', 'd.png done']);
    expect(link.requests.slice(2).map(({ instruction, mask }) => [instruction, mask])).toEqual([
      ['make it red', 'upload-1'],
      ['make it red', 'upload-1'],
    ]);
    expect((await batch.resultOf(batch.entries[0]!)).name).toBe('a.png');
    expect(batch.cutOff).toBe(false);
  });

  test('says of files that the service no longer holds that they are gone', async () => {
    await cutOff();
    link.table['picture.describe'] = () => {
      throw new ExpectedError('picture.unknown', 'Expected a picture that is open.');
    };
    await batch.recover();
    expect(states()).toEqual(['a.png refused', 'b.png refused', 'c.png refused', 'd.png refused']);
    expect([batch.cutOff, batch.entries[3]?.error?.code]).toEqual([false, 'picture.unknown']);
  });

  test.each([null, 'no JSON', '{"version":7}', 'null'])('finds nothing in %j', async (text) => {
    shelved = text;
    await batch.recover();
    expect([batch.entries, batch.cutOff]).toEqual([[], false]);
  });

  test('offers nothing of a batch that another choice has replaced', async () => {
    await cutOff();
    batch.choose([file('x.png')]);
    await batch.recover();
    expect(states()).toEqual(['x.png waiting']);
    expect(shelved).toBeNull();
  });
});
