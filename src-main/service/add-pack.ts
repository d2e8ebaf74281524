import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ImportRequestInput } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import { askHub, fetchFile, hubAddress, type HubFacts, type HubOptions } from '#packs/hub.js';
import knownPacks from '#packs/known-packs.json' with { type: 'json' };
import { userPacksFolder } from '#packs/places.js';

/** A pack that the public hub has the files of. */
export interface KnownPack {
  readonly name: string;
  readonly title: string;
  readonly pixels?: number;
  readonly files: readonly (readonly [repository: string, path: string])[];
}

export function listKnownPacks(): readonly KnownPack[] {
  return knownPacks as unknown as readonly KnownPack[];
}

/** Throws `pack.unknown`. */
export function findKnownPack(name: string): KnownPack {
  const found = listKnownPacks().find((pack) => pack.name === name);
  if (found) return found;
  const names = listKnownPacks().map((pack) => pack.name);
  throw new ExpectedError('pack.unknown', `Expected ${names.join(', ')} but received ${JSON.stringify(name)}.`);
}

/** What a known pack consists of, and under which licences, as the hub says. */
export function askForPack({ files }: KnownPack, options: HubOptions = { address: hubAddress() }): Promise<readonly HubFacts[]> {
  return askHub(
    files.map(([repository, path]) => ({ repository, path })),
    options,
  );
}

/** Fetches the files, which then are what an import asks for. An earlier try is gone on with. */
export async function fetchPack(
  pack: KnownPack,
  facts: readonly HubFacts[],
  options: HubOptions = { address: hubAddress() },
): Promise<ImportRequestInput> {
  const files: string[] = [];
  for (const file of facts) files.push(await fetchFile(file, downloadsFolder(), options));
  return { files, name: pack.name, ...(pack.pixels !== undefined && { pixels: pack.pixels as 512 }) };
}

/** A pack has copies of its own. */
export async function forgetDownloads(facts: readonly HubFacts[]): Promise<void> {
  for (const { repository, path } of facts) await rm(join(downloadsFolder(), repository, path), { force: true });
}

function downloadsFolder(): string {
  return join(dirname(userPacksFolder()), 'downloads');
}
