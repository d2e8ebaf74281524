import { beforeEach, describe, expect, test } from 'vitest';
import type { AddEvent, PackSummary, VerifyEvent } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import { Packs } from '#state/packs.svelte.js';
import { Preferences } from '#state/preferences.svelte.js';
import { Studio } from '#state/studio.svelte.js';
import { FakeLink } from './fake-link.js';

const COMMON = { version: '1', sizeBytes: 4, folder: '/x', precision: 'float32' } as const;
const OWN: PackSummary = { ...COMMON, name: 'studio', title: 'Studio', builtIn: true, licence: 'MIT', family: 'infinity' };
const MINI: PackSummary = { ...COMMON, name: 'mini', title: 'Mini', builtIn: false, licence: 'apache-2.0', family: 'var' };
const HUB = { name: 'mini', title: 'Mini', totalBytes: 4, files: [] };

let link: FakeLink;
let studio: Studio;
let preferences: Preferences;
let packs: Packs;
let shelf: PackSummary[];
let events: readonly (AddEvent | VerifyEvent)[];
let asked: [string, object][];

beforeEach(async () => {
  link = new FakeLink();
  shelf = [OWN, MINI];
  asked = [];
  link.table['packs.list'] = () => shelf;
  link.table['packs.known'] = () => [{ name: 'mini', title: 'Mini', installed: shelf.includes(MINI) }];
  link.table['packs.askHub'] = () => HUB;
  link.table['packs.remove'] = ({ name }) => {
    shelf = shelf.filter((pack) => pack.name !== name);
    return null;
  };
  link.table['preferences.write'] = () => null;
  const edits = link.stream;
  const stream = (name: string, input: object, signal: never) => {
    if (!name.startsWith('packs.')) return edits(name as never, input as never, signal);
    asked.push([name, input]);
    return told();
  };
  Object.assign(link, { stream });
  studio = new Studio(link);
  preferences = new Preferences(link);
  packs = new Packs({ link, studio, preferences });
  await packs.open();
});

async function* told() {
  for (const event of events) yield await Promise.resolve(event);
}

test('the panel begins with the pack in use', () => {
  expect([packs.info?.name, packs.installed.length, packs.known[0]?.installed]).toEqual(['studio', 2, true]);
});

test('the licences that ship are read when somebody wants to, and once', async () => {
  expect(packs.licences).toBe('');
  await packs.readLicences();
  link.licences = () => Promise.reject(new Error('Expected not to be asked again.'));
  await packs.readLicences();
  expect([packs.licences, packs.error]).toEqual(['MIT License', undefined]);
});

describe('a licence', () => {
  test('is asked for before the first use, once', () => {
    expect(packs.unaccepted).toBeUndefined();
    packs.use('mini');
    expect(packs.unaccepted).toEqual(MINI);
    packs.accept();
    expect(packs.unaccepted).toBeUndefined();
    packs.use('studio');
    packs.use('mini');
    expect(packs.unaccepted).toBeUndefined();
  });

  test('that is declined leaves a pack that came with the program in use', () => {
    packs.use('mini');
    packs.decline();
    expect([packs.used, packs.unaccepted]).toEqual(['studio', undefined]);
    packs.decline();
    expect(packs.used).toBe('studio');
  });
});

describe('a pack', () => {
  test('is verified with its progress, and what is wrong is said', async () => {
    const verification = { name: 'mini', ok: false, files: [{ name: 'a', ok: false, reason: 'Expected 4 bytes.' }] };
    events = [
      { type: 'progress', doneBytes: 1, totalBytes: 4 },
      { type: 'verified', verification },
    ];
    const verifying = packs.verify('mini');
    expect(packs.work).toMatchObject({ kind: 'verify', name: 'mini' });
    await verifying;
    expect([packs.verification, packs.work, packs.error]).toEqual([verification, undefined, undefined]);
    await packs.look('studio');
    expect(packs.verification).toBeUndefined();
  });

  test('is removed, and what came with the program is used instead', async () => {
    packs.use('mini');
    await packs.remove('mini');
    expect([packs.installed, packs.used, packs.info?.name]).toEqual([[OWN], 'studio', 'studio']);
    link.table['packs.remove'] = () => {
      throw new ExpectedError('pack.protected', 'Expected one of your own packs.');
    };
    await packs.remove('studio');
    expect(packs.error?.code).toBe('pack.protected');
  });

  test('of the hub is asked for, fetched with its licence accepted, and looked at', async () => {
    shelf = [OWN];
    await packs.ask('mini');
    expect([packs.hub, packs.info, packs.asking]).toEqual([HUB, undefined, false]);
    events = [
      { type: 'progress', stage: 'fetch', doneBytes: 2, totalBytes: 4 },
      { type: 'progress', stage: 'import', doneBytes: 1, totalBytes: 4 },
      { type: 'imported', pack: MINI },
    ];
    const adding = packs.add('int8');
    shelf = [OWN, MINI];
    await adding;
    expect(asked).toEqual([['packs.add', { name: 'mini', precision: 'int8', acceptLicence: true }]]);
    expect([packs.info?.name, packs.installed.length, preferences.hasAccepted(MINI)]).toEqual(['mini', 2, true]);
  });

  test.each<[string, readonly AddEvent[], string | undefined]>([
    ['fails', [{ type: 'failed', error: { code: 'service.unreachable', message: 'No hub.', advice: '' } }], 'service.unreachable'],
    ['is cancelled', [{ type: 'cancelled' }], undefined],
  ])('whose download %s is not there, and nothing is accepted', async (_what, told, code) => {
    await packs.ask('mini');
    events = told;
    await packs.add('float32');
    expect([packs.error?.code, packs.work, preferences.current.licences]).toEqual([code, undefined, []]);
  });
});
