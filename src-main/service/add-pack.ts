import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cancellation } from '#base/cancellation.js';
import { ImportRequest, type AddEvent, type AddRequest, type HubReport, type KnownPackSummary } from '#contract/api.js';
import { endingOf } from '#contract/ending.js';
import { ExpectedError } from '#contract/errors.js';
import type { Engine } from '#engine/door/engine.js';
import { askHub, fetchFile, hubAddress, type HubFacts, type HubOptions } from '#packs/hub.js';
import knownPacks from '#packs/known-packs.json' with { type: 'json' };
import type { Library } from '#packs/library.js';
import { userPacksFolder } from '#packs/places.js';
import { importCheckpoints } from './import-checkpoints.js';
import { parseInput } from './parse.js';
import { reportOn } from './report-on.js';

/** A pack that the public hub has the files of. */
interface KnownPack {
  readonly name: string;
  readonly title: string;
  readonly pixels?: number;
  readonly files: readonly (readonly [repository: string, path: string])[];
}

const KNOWN = knownPacks as unknown as readonly KnownPack[];

/** Asks no other machine. */
export async function listKnownPacks(library: Library): Promise<readonly KnownPackSummary[]> {
  const here = new Set((await library.list()).map(({ name }) => name));
  return KNOWN.map(({ name, title }) => ({ name, title, installed: here.has(name) }));
}

/** What a known pack consists of, and under which licences, as the hub says. Throws `pack.unknown` or `service.unreachable`. */
export async function askForPack(name: string): Promise<HubReport> {
  const { title } = findKnownPack(name);
  const files = await factsOf(name);
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return { name, title, totalBytes, files: files.map(({ repository, path, bytes, licence }) => ({ repository, path, bytes, licence })) };
}

/** Fetches a known pack's files, going on where an earlier try ended, and imports them. The last event says how it ended. */
export async function* addPack(
  parts: { readonly engine: Engine; readonly library: Library },
  wish: AddRequest,
  signal: Cancellation,
): AsyncGenerator<AddEvent, void> {
  try {
    await expectNew(parts.library, wish.name);
    const facts = await factsOf(wish.name);
    const files = yield* fetchAll(facts, signal);
    for await (const event of importCheckpoints(parts, importOf(wish, files, facts), signal)) {
      if (event.type === 'imported') await forgetDownloads(facts);
      yield event.type === 'progress' ? { ...event, stage: 'import' } : event;
    }
  } catch (error) {
    yield endingOf(error, signal);
  }
}

function findKnownPack(name: string): KnownPack {
  const found = KNOWN.find((pack) => pack.name === name);
  if (found) return found;
  const names = KNOWN.map((pack) => pack.name);
  throw new ExpectedError('pack.unknown', `Expected ${names.join(', ')} but received ${JSON.stringify(name)}.`);
}

/** Before gigabytes are fetched in vain. */
async function expectNew(library: Library, name: string): Promise<void> {
  if ((await library.list()).some((pack) => pack.name === name))
    throw new ExpectedError('output.exists', `Expected a new pack but "${name}" is installed already.`);
}

function factsOf(name: string): Promise<readonly HubFacts[]> {
  const files = findKnownPack(name).files.map(([repository, path]) => ({ repository, path }));
  return askHub(files, { address: hubAddress() });
}

async function* fetchAll(facts: readonly HubFacts[], signal: Cancellation): AsyncGenerator<AddEvent, readonly string[]> {
  const gone = new AbortController();
  const here = new Map<HubFacts, number>();
  const totalBytes = facts.reduce((sum, { bytes }) => sum + bytes, 0);
  const fetching = fetchInOrder(facts, { address: hubAddress(), signal: gone.signal }, (file, bytes) => here.set(file, bytes));
  const progress = (): AddEvent => {
    if (signal.aborted) gone.abort();
    return { type: 'progress', stage: 'fetch', doneBytes: [...here.values()].reduce((sum, bytes) => sum + bytes, 0), totalBytes };
  };
  try {
    return yield* reportOn(fetching, progress);
  } finally {
    gone.abort();
    await fetching.catch(() => undefined);
  }
}

async function fetchInOrder(
  facts: readonly HubFacts[],
  options: HubOptions,
  onBytes: (file: HubFacts, bytes: number) => void,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const file of facts) {
    const onProgress = (_: unknown, bytes: number): void => {
      onBytes(file, bytes);
    };
    files.push(await fetchFile(file, downloadsFolder(), { ...options, onProgress }));
    onBytes(file, file.bytes);
  }
  return files;
}

function importOf({ name, precision }: AddRequest, files: readonly string[], facts: readonly HubFacts[]): ImportRequest {
  const { pixels } = findKnownPack(name);
  return parseInput(ImportRequest, { files, name, precision, licence: licencesOf(facts), ...(pixels !== undefined && { pixels }) });
}

/** Those that were accepted, each once. */
function licencesOf(facts: readonly HubFacts[]): string {
  return [...new Set(facts.map(({ licence }) => licence))].join(', ');
}

/** A pack has copies of its own. */
async function forgetDownloads(facts: readonly HubFacts[]): Promise<void> {
  for (const { repository, path } of facts) await rm(join(downloadsFolder(), repository, path), { force: true });
}

function downloadsFolder(): string {
  return join(dirname(userPacksFolder()), 'downloads');
}
