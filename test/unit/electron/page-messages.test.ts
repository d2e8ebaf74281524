import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PAGE_CHANNELS } from '#contract/desktop.js';

const ipcMain = vi.hoisted(() => ({ current: undefined as EventEmitter | undefined }));
vi.mock('electron', () => ({ ipcMain: { on: (channel: string, listener: () => void) => ipcMain.current?.on(channel, listener) } }));
const { hearPage } = await import('../../../src-main/electron/page-messages.js');

const OWN = { url: 'app://studio/', parent: null };
/** For each message of the page: one that is in its shape, and one that reaches out of it. */
const MESSAGES = [
  [PAGE_CHANNELS.dragOut, '1880a8ee-f5b5-40da-8e88-dc306ce886ab', '../../../etc/passwd'],
  [PAGE_CHANNELS.language, 'de', 'constructor'],
  [PAGE_CHANNELS.showSaved, 'last', '/etc/passwd'],
  [PAGE_CHANNELS.saveAsLast, 'next', '/etc/passwd'],
] as const;

describe.each(MESSAGES)('the message %s', (channel, good, outside) => {
  const heard = vi.fn();
  const warn = vi.fn();

  beforeEach(() => {
    vi.clearAllMocks();
    ipcMain.current = new EventEmitter();
    hearPage(
      PAGE_CHANNELS,
      { dragOut: heard, language: heard, showSaved: heard, saveAsLast: heard },
      { info: vi.fn(), warn, error: vi.fn(), tail: () => [] },
    );
  });

  it('is heard from our page', () => {
    ipcMain.current?.emit(channel, { sender: 'contents', senderFrame: OWN }, good);
    expect(heard).toHaveBeenCalledExactlyOnceWith(good, 'contents');
  });

  it.each([
    ['a frame that is gone', null, [good]],
    ['another origin', { url: 'https://example.org/', parent: null }, [good]],
    ['an origin that begins like ours', { url: 'app://studio.example.org/', parent: null }, [good]],
    ['a frame in our page', { url: 'app://studio/', parent: OWN }, [good]],
    ['our page, of a wrong type', OWN, [7]],
    ['our page, as an object', OWN, [{ toString: () => good }]],
    ['our page, without a value', OWN, []],
    ['our page, with one value too many', OWN, [good, good]],
    ['our page, reaching outside', OWN, [outside]],
    ['our page, a gigabyte long', OWN, ['x'.repeat(2 ** 29 - 24)]],
  ])('is refused from %s', (_who, senderFrame, values) => {
    ipcMain.current?.emit(channel, { sender: 'contents', senderFrame }, ...values);
    expect(heard).not.toHaveBeenCalled();
    expect(warn).toHaveBeenCalledOnce();
  });
});

it('no message is left out of the table above', () => {
  expect(MESSAGES.map(([channel]) => channel)).toEqual(Object.values(PAGE_CHANNELS));
});
