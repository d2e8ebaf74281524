import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { everyFamily } from '#engine/families/list.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import type { AddEvent } from '#contract/api.js';
import type { Engine } from '#engine/door/engine.js';
import knownPacks from '#packs/known-packs.json' with { type: 'json' };
import { openLibrary } from '#packs/library.js';
import { addPack, askForPack } from '#service/add-pack.js';
import { PACKS } from '../../support/published-packs.js';

const [VAR, FLEX, SWITTI] = [PACKS.var, PACKS.flexvar, PACKS.switti];
const BIG_G = SWITTI.find((file) => file.endsWith('clip-g.bin'))!;

/** Published names, and small files of the same layout; the last word of a repository's path is enough where it holds one model. */
const SMALL: readonly (readonly [name: RegExp, file: string])[] = [
  [/^FoundationVision\/var\/var_d\d+\.pth$/u, PACKS.car[1]],
  [/^FoundationVision\/var\/vae_/u, VAR[1]],
  [/^jiaosiyu1999\/FlexVAR\/FlexVARd/u, FLEX[0]],
  [/^jiaosiyu1999\/FlexVAR\/FlexVAE/u, FLEX[1]],
  [/^nvidia\/HMAR\//u, PACKS.hmar[0]],
  [/^MiracleDance\/CAR\//u, PACKS.car[0]],
  [/^yresearch\/VQVAE-Switti\//u, VAR[1]],
  [/^yresearch\/Switti[^/]*\/model/u, SWITTI[0]],
  [/^yresearch\/Switti[^/]*\/config/u, 'test/golden/switti-mini/config.json'],
  [/^openai\/.*\.safetensors$/u, 'test/golden/switti-mini/clip-l.bin'],
  [/^openai\/.*\/tokenizer\.json$/u, 'test/golden/switti-mini/tokenizer.json'],
  [/^stabilityai\/.*\/text_encoder_2\/model/u, BIG_G],
];

function smallOf(name: string): Buffer {
  const file = SMALL.find(([published]) => published.test(name))?.[1];
  if (file === undefined) throw new Error(`Expected a small file for ${name}.`);
  return readFileSync(file);
}

/** What the hub says of a repository: as much as the known packs name. */
function answerOf(repository: string): string {
  const files = knownPacks.flatMap(({ files }) => files).filter(([owner]) => owner === repository);
  const siblings = [...new Set(files.map(([, file]) => file!))].map((file) => {
    const bytes = smallOf(`${repository}/${file}`);
    return { rfilename: file, lfs: { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length } };
  });
  return JSON.stringify({ cardData: { license: `licence of ${repository}` }, siblings });
}

let server: Server;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-known-'));
  server = createServer(({ url = '' }, response) => {
    const repository = /^\/api\/models\/([^?]+)/u.exec(url)?.[1];
    response.end(repository === undefined ? smallOf(url.slice(1).replace('/resolve/main/', '/')) : answerOf(repository));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('SCALEBRUSH_HUB', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('SCALEBRUSH_HOME', home);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
  await rm(home, { recursive: true });
});

test('names are their own, and every family has known packs', () => {
  const names = knownPacks.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const titles = everyFamily().flatMap(({ title }) => title.split('/'));
  const missing = titles.filter((title) => !knownPacks.some((pack) => pack.title.startsWith(title)));
  expect(missing).toEqual([]);
});

test('what is not for commercial use says so in its name, before anything is fetched', () => {
  const ofHmar = knownPacks.filter(({ files }) => files.some(([repository]) => repository === 'nvidia/HMAR'));
  expect(ofHmar.map(({ title }) => title.endsWith('not for commercial use'))).toEqual([true, true, true, true]);
});

test.each([
  { name: 'var-d16', family: 'var' },
  { name: 'flexvar-d20', family: 'flexvar' },
  { name: 'hmar-d16', family: 'hmar' },
  { name: 'car-normal-d16', family: 'car', traits: { control: ['normal'] } },
  { name: 'car-sketch-d16', family: 'car', traits: { control: ['lineart'] } },
  { name: 'switti', family: 'switti' },
  { name: 'switti-1024-ar', family: 'switti' },
])('$name: its files, under their published names, become a pack of $family', async ({ name, family, traits }) => {
  const library = openLibrary({ builtIn: [], user: path.join(home, 'packs') });
  const known = knownPacks.find((pack) => pack.name === name)!;
  const asked = await askForPack(name);
  expect(asked.files.map(({ repository, path: file, licence }) => [repository, file, licence])).toEqual(
    known.files.map(([repository, file]) => [repository, file, `licence of ${repository!}`]),
  );
  expect(asked.totalBytes).toBe(known.files.reduce((sum, [repository, file]) => sum + smallOf(`${repository!}/${file!}`).length, 0));
  const wish = { name, precision: 'float32', acceptLicence: true } as const;
  let last: AddEvent | undefined;
  for await (const event of addPack({ engine: new LocalEngine() as unknown as Engine, library }, wish, NEVER_CANCELLED)) last = event;
  expect(last).toMatchObject({ type: 'imported', pack: { name, family } });
  const { card } = await library.find(name);
  expect(card).toMatchObject({
    ...(traits && { traits }),
    licence: expect.stringContaining(`licence of ${known.files[0]![0]!}`) as unknown,
  });
});
