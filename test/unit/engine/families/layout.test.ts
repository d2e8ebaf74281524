import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AnyCard } from '#contract/pack-card.js';
import { ExpectedError } from '#contract/errors.js';
import { summarise } from '#engine/families/inspect.js';
import { recognise } from '#engine/families/recognise.js';
import type { Checkpoint, StoredTensor } from '#engine/weights/checkpoint.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { packOfCheckpoints } from '#packs/checkpoint-card.js';
import { BITWISE_TOKENIZER, PACKS } from '../../../support/published-packs.js';

/** Buffers of training, which no run reads; and of DINOv2 what hides patches while it learns. */
const UNREAD = /(?:^|\.)(?:lvl_1L|attn_bias_for_masking|zero_k_bias|codebook_used|mask_token)$/u;
/** T5 is published in several files, each with a part: whether all of it is there is asked when it is opened. */
const IN_PARTS = 'test/golden/t5-mini';

const weightsFiles = [...new Set(Object.values(PACKS).flat()), 'test/golden/var-mini-shared/var_d3.pth'].filter(
  (file) => !file.endsWith('.json'),
);

function changed(checkpoint: Checkpoint, name: string, tensor?: StoredTensor): Checkpoint {
  const tensors = new Map(checkpoint.tensors);
  if (tensor) tensors.set(name, tensor);
  else tensors.delete(name);
  return { ...checkpoint, tensors };
}

/** One less along its last side that has more than one. */
function shortened(tensor: StoredTensor): StoredTensor | undefined {
  const side = tensor.shape.findLastIndex((length) => length > 1);
  return side < 0 ? undefined : { ...tensor, shape: tensor.shape.map((length, i) => (i === side ? length - 1 : length)) };
}

async function bitwiseTokenizer(): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(resolve(BITWISE_TOKENIZER.file));
  const kept = [...checkpoint.tensors].filter(([name]) => BITWISE_TOKENIZER.only.includes(name.split('.', 1)[0] ?? ''));
  return { ...checkpoint, tensors: new Map(kept) };
}

const ONE_LINE = /^Expected [^\n]+$/u;

/** Where sizes come from: of these alone a file does not tell that they are wrong; the pack that it is a part of does. */
const TOLD_BY_OTHERS = /(?:^|\.)(?:(?:word_embed|text_pooler)\.weight|car_blocks\.0\.attn\.scale_mul_1H11)$/u;

function expectMissed(checkpoint: Checkpoint, name: string): void {
  const { model, reason } = recognise(changed(checkpoint, name)) as { model: unknown; reason?: string };
  expect([name, model, reason]).toEqual([name, null, expect.stringContaining(name)]);
}

function expectLookedAt(checkpoint: Checkpoint, { name, ...tensor }: StoredTensor): void {
  const bent = shortened({ name, ...tensor });
  if (!bent || TOLD_BY_OTHERS.test(name)) return;
  const { model, reason } = recognise(changed(checkpoint, name, bent)) as { model: unknown; reason?: string };
  expect([name, model, reason]).toEqual([name, null, expect.stringMatching(ONE_LINE)]);
  // Its own, or the first that does not fit it.
  expect(reason?.split(' ').some((word) => checkpoint.tensors.has(word))).toBe(true);
}

function expectWhole(checkpoint: Checkpoint): void {
  const read = [...checkpoint.tensors.values()].filter(({ name }) => !UNREAD.test(name));
  expect(read.length).toBeGreaterThan(0);
  for (const tensor of read) {
    expectMissed(checkpoint, tensor.name);
    expectLookedAt(checkpoint, tensor);
  }
}

describe('of every published file each tensor is missed by its name, and its shape is looked at', () => {
  test.each(weightsFiles.filter((file) => !file.startsWith(IN_PARTS)))('in %s', async (file) => {
    expectWhole(await openCheckpoint(resolve(file)));
  });

  test('in a bitwise tokenizer', async () => {
    const tokenizer = await bitwiseTokenizer();
    expect(recognise(tokenizer).model?.family).toBe('bitwise-tokenizer');
    expectWhole(tokenizer);
  });
});

type Family = keyof typeof PACKS;

/** The pack of a family, its weights in the order of the table, as they would be inspected. */
async function partsOf(family: Family): Promise<readonly Checkpoint[]> {
  const files = PACKS[family].filter((file) => !file.endsWith('.json'));
  const opened = await Promise.all(files.map((file) => openCheckpoint(resolve(file))));
  return family === 'infinity' ? [...opened, await bitwiseTokenizer()] : opened;
}

function cardOf(parts: readonly Checkpoint[]): AnyCard {
  return packOfCheckpoints({ reports: parts.map(summarise), textTokenizer: { path: '/tokenizer.json', bytes: 1 } }).cardOf([]);
}

function reasonOf(parts: readonly Checkpoint[]): string | undefined {
  try {
    cardOf(parts);
    return undefined;
  } catch (error) {
    if (error instanceof ExpectedError && error.code === 'weights.refused') return error.message;
    throw error;
  }
}

const families = Object.keys(PACKS) as Family[];

describe('parts that do not belong together become no pack', () => {
  test.each(families)('%s: whole, they do', async (family) => {
    expect(cardOf(await partsOf(family))).toMatchObject({ family });
  });

  test.each(families)('%s: without any one of them they do not', async (family) => {
    const parts = await partsOf(family);
    for (const part of parts) {
      const others = parts.filter((other) => other !== part);
      // A CAR without its adapter is the VAR below it.
      if (family === 'car' && part === parts[0]) expect(cardOf(others)).toMatchObject({ family: 'var' });
      else expect(reasonOf(others)).toMatch(ONE_LINE);
    }
  });

  test.each(families)('%s: with any other family’s file for one of them they do not', async (family) => {
    const [parts, all] = [await partsOf(family), (await Promise.all(families.map(partsOf))).flat()];
    const networks = new Set(parts.map((part) => recognise(part).model?.family));
    const strangers = all.filter((other) => !networks.has(recognise(other).model?.family));
    expect(strangers.length).toBeGreaterThan(3);
    for (const stranger of strangers) {
      for (const part of parts) {
        const exchanged = parts.map((other) => (other === part ? stranger : other));
        const reason = reasonOf(exchanged);
        // Families may have a tokenizer in common: with its own transformer it is the other's pack.
        if (reason === undefined) expect(cardOf(exchanged).family).toBe(recognise(stranger).model?.family);
        else expect(reason).toMatch(ONE_LINE);
      }
    }
  });

  test.each(families)('%s: with sizes that only another part tells, and not these, they do not', async (family) => {
    const parts = await partsOf(family);
    for (const part of parts) {
      for (const [name, tensor] of part.tensors) {
        if (!TOLD_BY_OTHERS.test(name)) continue;
        const bent = changed(part, name, shortened(tensor));
        expect(reasonOf(parts.map((other) => (other === part ? bent : other)))).toMatch(/Expected [^\n]+$/u);
      }
    }
  });
});
