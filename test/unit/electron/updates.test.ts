import { describe, expect, it, vi } from 'vitest';
import { lookForUpdate, type UpdateParts, type Updater } from '../../../src-main/electron/updates.js';

function updater(available: boolean) {
  const found = { isUpdateAvailable: available, updateInfo: { version: '9.9.9' } };
  const downloadUpdate = vi.fn(() => Promise.resolve([]));
  return {
    autoDownload: true,
    autoInstallOnAppQuit: false,
    checkForUpdates: vi.fn(() => Promise.resolve(found)),
    downloadUpdate,
  } satisfies Updater;
}

function parts(fake: Updater, changes: Partial<UpdateParts> = {}) {
  const log = { info: vi.fn(), warn: vi.fn(), error: vi.fn(), tail: () => [] };
  const load = vi.fn(() => Promise.resolve(fake));
  const ask = vi.fn(() => Promise.resolve(true));
  return { isConfigured: true, isWanted: () => true, load, whenIdle: () => Promise.resolve(), ask, log, ...changes };
}

describe('looking for an update', () => {
  it.each([
    ['was not switched on', { isWanted: () => false }],
    ['has no place to look at', { isConfigured: false }],
  ])('connects to nothing where it %s', async (_why, changes) => {
    const given = parts(updater(true), changes);
    await lookForUpdate(given);
    expect(given.load).not.toHaveBeenCalled();
  });

  it('fetches what the user agreed to, and leaves the installing to the end', async () => {
    const fake = updater(true);
    const given = parts(fake);
    await lookForUpdate(given);
    expect(given.ask).toHaveBeenCalledWith('9.9.9');
    expect(fake.downloadUpdate).toHaveBeenCalledOnce();
    expect(fake).toMatchObject({ autoDownload: false, autoInstallOnAppQuit: true });
  });

  it('asks nothing while a run goes on', async () => {
    let rest = (): void => undefined;
    const given = parts(updater(true), { whenIdle: () => new Promise((resolve) => (rest = resolve)) });
    const looking = lookForUpdate(given);
    await vi.waitFor(() => { expect(rest.name).not.toBe('rest'); }); // prettier-ignore
    expect(given.ask).not.toHaveBeenCalled();
    rest();
    await looking;
    expect(given.ask).toHaveBeenCalledOnce();
  });

  it('fetches nothing where there is nothing new, or the user does not want it', async () => {
    const old = updater(false);
    await lookForUpdate(parts(old));
    const unwanted = updater(true);
    await lookForUpdate(parts(unwanted, { ask: () => Promise.resolve(false) }));
    expect(old.downloadUpdate).not.toHaveBeenCalled();
    expect(unwanted.downloadUpdate).not.toHaveBeenCalled();
  });

  it('a failure is written down and disturbs nobody', async () => {
    const fake = { ...updater(true), checkForUpdates: () => Promise.reject(new Error('no connection')) };
    const given = parts(fake);
    await lookForUpdate(given);
    expect(given.log.warn).toHaveBeenCalledWith('Looking for an update failed: no connection');
  });
});
