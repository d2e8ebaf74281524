import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { Weights } from '#engine/weights/handle.js';
import { inspectFile } from '#engine/families/inspect.js';
import { openCheckpoint } from '#engine/weights/open.js';

const FIXTURES = '../shared/fixtures';

interface Manifest {
  readonly config: {
    readonly C: number;
    readonly H: number;
    readonly depth: number;
    readonly d: number;
    readonly patchify: number;
    readonly base_ch: number;
    readonly mult: readonly number[];
  };
  readonly transformer_keys: Readonly<Record<string, readonly number[]>>;
  readonly vae_keys: Readonly<Record<string, readonly number[]>>;
}

describe.each(['varedit-2b-style', 'varedit-8b-style'])('checkpoints in the published layout of %s', (name) => {
  const folder = `${FIXTURES}/${name}`;
  const absent = !existsSync(`${folder}/manifest.json`);

  it.skipIf(absent)('have every parameter of the manifest in its shape (needs the shared fixtures)', async () => {
    const manifest = readManifest(folder);
    expect(await shapesOf(`${folder}/transformer.pth`)).toEqual(manifest.transformer_keys);
    expect(await shapesOf(`${folder}/vae.pth`)).toEqual(manifest.vae_keys);
  });

  it.skipIf(absent)('are recognised with their sizes (needs the shared fixtures)', async () => {
    const { C, H, depth, d, patchify, base_ch, mult } = readManifest(folder).config;
    const tokenBits = patchify === 1 ? 4 * d : d;
    expect((await inspectFile(`${folder}/transformer.pth`)).model).toEqual({ family: 'infinity', depth, width: C, heads: H, tokenBits });
    expect((await inspectFile(`${folder}/vae.pth`)).model).toEqual({
      family: 'bitwise-tokenizer',
      depth: mult.length,
      width: base_ch,
      heads: 0,
      tokenBits: d,
    });
  });

  it.skipIf(absent)('hold the numbers that PyTorch saved (needs the shared fixtures)', async () => {
    const weights = Weights.of(await openCheckpoint(`${folder}/transformer.pth`));
    // The reference feeds the first rows of cfg_uncond as the unconditional text.
    const rows = readFloatArray(`${folder}/inputs/text_uncond.npy`);
    expect(weights.readFloats('cfg_uncond').subarray(0, rows.length)).toEqual(rows);
    const keyBias = weights.at('block_chunks', 0, 'module', 0, 'sa').readFloats('zero_k_bias');
    expect(keyBias.every((bias) => bias === 0)).toBe(true);
  });
});

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')) as Manifest;
}

async function shapesOf(path: string): Promise<Record<string, readonly number[]>> {
  const { tensors } = await openCheckpoint(path);
  return Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
}

/** The data of a float32 .npy file, version 1. */
function readFloatArray(path: string): Float32Array {
  const bytes = readFileSync(path);
  const start = 10 + bytes.readUInt16LE(8);
  expect(bytes.toString('latin1', 10, start)).toContain("'<f4'");
  return new Float32Array(new Uint8Array(bytes.subarray(start)).buffer);
}
