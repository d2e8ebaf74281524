import fsPromises from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WriteWork, WrittenFile } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import type { CheckpointPack } from '#engine/door/published.js';
import { smallCard, writePack } from '../../support/pack-folder.js';

/** Everything by which an import changes what lies on the disk, but for the pieces of files, which other tests stop between. */
const CHANGES = ['mkdir', 'writeFile', 'rename', 'rm', 'open'] as const;
const untouched = { ...fsPromises };
const NEVER = { aborted: false, reason: undefined };
const local = new LocalEngine();
let root: string;
let shelf: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'import-steps-'));
  shelf = join(root, 'packs');
});

afterEach(async () => {
  letLive();
  await rm(root, { recursive: true, force: true });
});

/** From its change number `at` on, whoever imports stands still for good, as if it had been killed there. Resolves when it does. */
function killAt(at: number): Promise<'killed'> {
  return new Promise((resolve) => {
    let count = 0;
    const patched = fsPromises as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of CHANGES) {
      const change = untouched[name] as (...args: unknown[]) => unknown;
      patched[name] = (...args) => {
        if (++count < at) return change(...args);
        resolve('killed');
        return new Promise(() => undefined);
      };
    }
    syncBuiltinESMExports();
  });
}

function letLive(): void {
  Object.assign(fsPromises, untouched);
  syncBuiltinESMExports();
}

/** The modules of a program that has just started: nothing in their memory is of an earlier try. */
async function freshImport() {
  vi.resetModules();
  return import('#packs/import.js');
}

async function writeWeights(work: WriteWork): Promise<WrittenFile> {
  for await (const event of local.writeWeights(work, NEVER)) if ('written' in event) return event.written;
  throw new Error('Expected an end.');
}

/** One tensor of two numbers. */
async function tinyWeights(): Promise<string> {
  const header = Buffer.from(JSON.stringify({ 'head.weight': { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }).padEnd(80));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = join(root, 'tiny.safetensors');
  await writeFile(file, Buffer.concat([length, header, Buffer.from(Float32Array.of(1, 2).buffer)]));
  return file;
}

async function checkpoint(): Promise<() => Promise<unknown>> {
  const path = await tinyWeights();
  const copied = join(root, 'copied.bin');
  await writeFile(copied, 'copied as it is');
  const pack: CheckpointPack = {
    sources: [
      { role: 'transformer', path, bytes: 200, files: [path], written: { precision: 'float32' } },
      { role: 'tokenizer', path: copied, bytes: 15, files: [copied] },
    ],
    cardOf: (files) => ({ ...smallCard('tiny'), files: [...files] }),
  };
  const onBytes = () => undefined;
  return async () => (await freshImport()).importCheckpoints(pack, shelf, { writeWeights, onBytes });
}

async function folder(): Promise<() => Promise<unknown>> {
  await mkdir(join(root, 'source'));
  const source = await writePack(join(root, 'source'), smallCard('tiny'));
  return async () => (await freshImport()).importFolder(source, shelf);
}

test.each([
  ['published files', checkpoint, ['card.json', 'tokenizer.bin', 'transformer.safetensors']],
  ['a folder', folder, ['card.json', 'weights.safetensors']],
] as const)(
  'an import of %s that is killed at any of its steps is whole when it is started again, and nothing else stays',
  async (_what, prepare, files) => {
    const start = await prepare();
    let killed = 0;
    for (let step = 1; ; step++) {
      await rm(shelf, { recursive: true, force: true });
      const stopped = killAt(step);
      const how = await Promise.race([start().then(() => 'ended'), stopped]);
      letLive();
      if (how === 'ended') break;
      killed++;
      // Killed behind the last step that counts, it is there already.
      await start().catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'output.exists' });
      });
      expect(await readdir(shelf)).toEqual(['tiny']);
      expect((await readdir(join(shelf, 'tiny'))).sort()).toEqual(files);
    }
    expect(killed).toBeGreaterThan(8);
  },
);
