import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { everyFamily, everyNetwork, FAMILIES } from '#engine/families/list.js';
import { recognise } from '#engine/families/recognise.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';

const FIXTURES = '../shared/fixtures';
const CHECKPOINT = /\.(?:pth|pt|bin|safetensors)$/u;
/** Parts of packs of our own, which no published file is. */
const OWN = /^(?:depth|objects|tokenizer)\.safetensors$/u;

function checkpointsIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => CHECKPOINT.test(name) && !OWN.test(name.split(/[/\\]/u).at(-1) ?? ''))
    .map((name) => join(folder, name));
}

const committed = ['test/golden', 'models'].flatMap(checkpointsIn);
const shared = existsSync(FIXTURES) ? ['var-tiny', 'flexvar-tiny', 'car-tiny', 'controlar-tiny', 'nar-tiny', 'switti-tiny', 'hmar-tiny', 'varedit-2b-style', 'varedit-8b-style'].flatMap((name) => (existsSync(join(FIXTURES, name)) ? checkpointsIn(join(FIXTURES, name)) : [])) : []; // prettier-ignore

describe('every network of every family is offered every checkpoint', () => {
  test.each(committed)('and one says yes to %s', async (file) => {
    const weights = Weights.of(await openCheckpoint(file));
    const yes = everyNetwork().filter((network) => network.fits(weights));
    expect(yes.map(({ name }) => name)).toHaveLength(1);
  });

  test.skipIf(shared.length === 0)('and one says yes to each of the shared fixtures (needs them)', async () => {
    for (const file of shared) {
      const weights = Weights.of(await openCheckpoint(file));
      expect([file, everyNetwork().filter((network) => network.fits(weights)).length]).toEqual([file, 1]);
    }
  });
});

test('networks have names of their own, and a transformer belongs to one family', () => {
  const names = everyNetwork().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const transformers = everyFamily().map(({ networks: [first] }) => first.name);
  expect(transformers).toEqual(Object.keys(FAMILIES));
});

/** No small one is committed: inspect.test.ts writes its names. */
const WRITTEN = 'bitwise-tokenizer';

test('what is read is what said yes', async () => {
  const models = [];
  for (const file of committed) models.push(recognise(await openCheckpoint(file)).model?.family);
  const names = everyNetwork().map(({ name }) => name);
  expect(new Set(models)).toEqual(new Set(names.filter((name) => name !== WRITTEN)));
});
