import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackCard } from '#contract/pack-card.js';

const WEIGHTS = new TextEncoder().encode('not weights at all, but their bytes count');

/** A card that the schema accepts, for one file of a few bytes. */
export function smallCard(name: string): PackCard {
  return {
    format: 1,
    name,
    title: 'A small pack',
    version: '1.0.0',
    family: 'infinity',
    licence: 'MIT',
    imageSize: 16,
    precision: 'float32',
    config: {
      transformer: {
        depth: 2,
        width: 8,
        heads: 2,
        tokenBits: 4,
        scales: [
          [1, 1],
          [2, 2],
        ],
        patchify: 1,
        rotary: { kind: 'normalised', base: 10 },
        text: { kind: 'words', maxWords: 4, examples: [], vocabulary: ['red'] },
        sourceFusion: false,
        copyGate: false,
        maskEmbedding: false,
        lateScales: 0,
        normEps: 1e-6,
      },
      tokenizer: { kind: 'residual', codeBits: 4, downsample: 8 },
    },
    presets: { best: 2, balanced: 2, fast: 1, draft: 1 },
    defaults: { guidance: 1, temperature: 1, topP: 0.97, topK: 0, guidanceRamp: 'constant', fillInstruction: '' },
    files: [
      {
        name: 'weights.safetensors',
        role: 'transformer',
        bytes: WEIGHTS.length,
        sha256: createHash('sha256').update(WEIGHTS).digest('hex'),
      },
    ],
    dataSources: [],
    abilities: [],
    limits: [],
  };
}

/** Writes a pack of that name into `shelf` and gives its folder. */
export async function writePack(shelf: string, card: PackCard): Promise<string> {
  const folder = join(shelf, card.name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'card.json'), JSON.stringify(card));
  for (const file of card.files) await writeFile(join(folder, file.name), WEIGHTS);
  return folder;
}
