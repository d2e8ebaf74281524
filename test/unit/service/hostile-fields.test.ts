import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import * as v from 'valibot';
import { strToU8, unzipSync, zipSync } from 'fflate';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExpectedError } from '#contract/errors.js';
import { picturesOf, type Project } from '#contract/project.js';
import { FileRecipe } from '#contract/recipe.js';
import { recipeInPacket, recipePacket, uprightXmp } from '#engine/image/files/xmp.js';
import { openLibrary } from '#packs/library.js';
import { openLedger } from '#service/batch-state.js';
import { readTable, writeTable } from '#service/journal.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { readProjectFile } from '#service/project-file.js';
import { readRecipe } from '#service/recipe.js';
import { fakeEngine, grayPng } from '../../support/fake-engine.js';
import { FUZZ_FACTOR } from '../../support/fuzz.js';
import { mutated, mutations, type Mutation } from '../../support/mutate.js';
import { smallCard, writePack } from '../../support/pack-folder.js';
import { projectBytes } from '../../support/project-bytes.js';

// Files of ours that come back from anywhere, sound but for what their fields say.

const RUNS = 1000 * FUZZ_FACTOR;
const PATIENCE_MS = 60_000 * Math.max(1, FUZZ_FACTOR);
const DESCRIPTION = 'project.json';
let root: string;
let store: PictureStore;
const at = (...names: string[]) => join(root, ...names);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hostile-fields-'));
  await mkdir(at('pictures'));
  store = await openPictureStore({ engine: fakeEngine(), parent: at('pictures') });
});

afterEach(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

/** Everything in it: a step with its recipe and mask, results, deeds that can be undone. */
async function richProject(): Promise<Project> {
  const [photo, result] = [await store.add(grayPng(4, 3, 10), 'photo.png'), await store.add(grayPng(4, 3, 20), 'result.png')];
  const mask = { steps: [{ kind: 'grow' as const, px: 3 }], length: 1 };
  const sheet = { picture: photo.id, mask, blank: false };
  const table = { sheets: [0, 1], open: 1 };
  return {
    sheets: [sheet, { picture: result.id, mask, blank: false, held: mask, change: { before: photo.id, after: result.id } }],
    open: 1,
    settings: { instruction: 'make it night', seed: 7, margins: { left: 1, right: 2, top: 3, bottom: 4 } },
    waiting: [{ verb: 'fill', settings: { seed: 8 }, size: { width: 4, height: 3 }, mask, removes: true, detour: { stopAtScale: 2 } }],
    filed: [result.id],
    results: [],
    chosen: 0,
    others: [{ ...sheet, hidden: true }],
    done: [{ before: { sheets: [0], open: 0 }, after: table }],
    undone: [],
  };
}

/** Files of the store. */
async function held(): Promise<readonly string[]> {
  const [folder = ''] = await readdir(at('pictures'));
  return readdir(at('pictures', folder));
}

/** Gives what came of it, or undefined where it was refused as it should be. */
async function refusedOr<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    expect(error).toBeInstanceOf(ExpectedError);
    return undefined;
  }
}

/** `check` says whether it was taken: of so many, some are and some are not. */
async function tryAll(check: (mutation: Mutation) => Promise<boolean>): Promise<void> {
  const seen = new Set<boolean>();
  const property = fc.asyncProperty(mutations, async (mutation) => {
    seen.add(await check(mutation));
  });
  await fc.assert(property, { numRuns: RUNS });
  expect(seen).toEqual(new Set([true, false]));
}

function textOf(value: unknown, mutation: Mutation): string {
  return JSON.stringify(mutated(value, mutation) ?? null);
}

/** Whatever a project says, its pictures are there, and nothing else was kept of it. */
async function expectWhole(project: Project | undefined, before: readonly string[]): Promise<boolean> {
  const named = project ? new Set(picturesOf(project)) : new Set<string>();
  const added = (await held()).filter((name) => !before.includes(name));
  for (const id of named) expect((await store.get(id)).bytes.length).toBeGreaterThan(0);
  if (!project) expect(added).toEqual([]);
  for (const id of added) await store.remove(id);
  expect(Object.keys(Object.prototype)).toEqual([]);
  return project !== undefined;
}

test(
  'a project whose description says anything opens with all of its pictures, or is refused and leaves none',
  async () => {
    const files = unzipSync(await projectBytes(await richProject(), store));
    const description: unknown = JSON.parse(new TextDecoder().decode(files[DESCRIPTION]));
    const before = await held();
    await tryAll(async (mutation) => {
      const text = strToU8(textOf(description, mutation));
      const file = zipSync({ ...files, [DESCRIPTION]: text }, { level: 0 });
      return expectWhole(await refusedOr(() => readProjectFile({ body: [file] }, store)), before);
    });
  },
  PATIENCE_MS,
);

test(
  'a journal whose description says anything comes back with all of its pictures, or not at all',
  async () => {
    const folder = at('journal', 'window.1');
    await writeTable(folder, await richProject(), store);
    const text = await readFile(join(folder, DESCRIPTION), 'utf8');
    const names = (await readdir(folder)).filter((name) => name !== DESCRIPTION);
    const pictures = new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
    // As in another process: none of its pictures is open.
    for (const name of names) await store.remove(name);
    await tryAll(async (mutation) => {
      for (const [name, bytes] of pictures) await writeFile(join(folder, name), bytes);
      await writeFile(join(folder, DESCRIPTION), textOf(JSON.parse(text), mutation));
      const taken = await expectWhole(await readTable(folder, store), []);
      expect(await readdir(at())).toEqual(['journal', 'pictures']);
      return taken;
    });
  },
  PATIENCE_MS,
);

test(
  'the state of a batch that says anything is passed over, or nothing counts as done but what it says',
  async () => {
    const sha256 = 'ab'.repeat(32);
    const ledger = await openLedger(root, {}, false);
    await ledger.note('a.png', 'done', sha256);
    await ledger.note('b.png', 'begun', sha256);
    const state: unknown = JSON.parse(await readFile(at('.scalebrush-batch.json'), 'utf8'));
    await tryAll(async (mutation) => {
      await writeFile(at('.scalebrush-batch.json'), textOf(state, mutation));
      const opened = await refusedOr(() => openLedger(root, {}, true));
      for (const name of ['b.png', 'c.png', '__proto__', 'constructor']) expect(opened?.isDone(name, 'cd'.repeat(32)) ?? false).toBe(false);
      return opened?.isDone('a.png', sha256) ?? false;
    });
  },
  PATIENCE_MS,
);

test(
  'a pack whose card says anything is listed, verified and removed, or refused; no file beyond its folder is read',
  async () => {
    const card = smallCard('small');
    const folder = await writePack(at('packs'), card);
    const secret = at('secret.txt');
    await writeFile(secret, 'of nobody’s business');
    const library = openLibrary({ builtIn: [], user: at('packs') });
    await tryAll(async (mutation) => {
      await writeFile(join(folder, 'card.json'), textOf(card, mutation));
      const packs = (await refusedOr(() => library.list())) ?? [];
      await refusedOr(() => library.broken());
      for (const { name } of packs) {
        const verified = await refusedOr(() => library.verify(name));
        expect(verified?.ok === true && verified.files.some((file) => file.name.includes('..'))).toBe(false);
        const found = await refusedOr(() => library.find(name));
        expect((found?.card.files ?? []).filter((file) => /[/\\\0]|^\.*$/u.test(file.name))).toEqual([]);
      }
      return packs.length > 0;
    });
    expect(await readFile(secret, 'utf8')).toBe('of nobody’s business');
  },
  PATIENCE_MS,
);

test(
  'a recipe in a packet of XMP that says anything is read, or left out with a notice',
  async () => {
    const pack = { name: 'sketch', version: '1.0.0', sha256: ['ab'.repeat(32)] };
    const tokens = { pack: 'sketch', schedule: [[1, 1]], tokens: [['aa']] };
    const recipe = { scalebrush: 1, pack, request: { task: 'edit', instruction: 'make it night', seed: 3 }, seed: 3, tokens };
    await tryAll(async (mutation) => {
      const packet = recipePacket(textOf(recipe, mutation));
      const text = recipeInPacket(packet);
      const read = readRecipe(text);
      expect(text === undefined || read.recipe !== undefined || read.notice !== undefined).toBe(true);
      expect(read.recipe === undefined || v.is(FileRecipe, read.recipe)).toBe(true);
      expect(recipeInPacket(uprightXmp(packet, { width: 3, height: 2 }) ?? '')).toBeUndefined();
      return Promise.resolve(read.recipe !== undefined);
    });
  },
  PATIENCE_MS,
);
