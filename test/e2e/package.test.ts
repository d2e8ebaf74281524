import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile, cp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { extractAll, listPackage } from '@electron/asar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const MEGABYTE = 2 ** 20;
/** What may be in a package; node_modules is looked at by itself. */
const ALLOWED: readonly RegExp[] = [
  /^dist\/main\/(chunks\/[\w-]+|cli|electron|inference|server)\.js$/u,
  /^dist\/preload\/preload\.cjs$/u,
  /^dist\/renderer\/(index\.html|assets\/[\w.-]+)$/u,
  /^models\/sketch\/(card\.json|(tokenizer|transformer|depth)\.safetensors)$/u,
  /^(LICENSE|package\.json)$/u,
];
const PLATFORM = `${process.platform}/${process.arch}`;

let folder: string;
let resources: string;

/** Stands for Electron's files: an executable with the wire that fuses are burnt into, and nothing else. */
async function standIn(): Promise<string> {
  const place = path.join(folder, 'electron');
  await mkdir(path.join(place, 'resources'), { recursive: true });
  const fuses = 9;
  const wire = Buffer.from([1, fuses, ...new Array<number>(fuses).fill('0'.charCodeAt(0))]);
  await writeFile(path.join(place, 'electron'), Buffer.concat([Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'), wire]), { mode: 0o755 });
  return place;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-package-'));
  const { version } = createRequire(import.meta.url)('electron/package.json') as { version: string };
  const overrides = { electronDist: await standIn(), electronVersion: version, 'directories.output': path.join(folder, 'release') };
  const words = Object.entries(overrides).map(([name, value]) => `-c.${name}=${value}`);
  await run('npx', ['electron-builder', '--linux', 'dir', '--publish', 'never', ...words]);
  resources = path.join(folder, 'release/linux-unpacked/resources');
}, 180_000);

afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')('the package of this system (Linux only)', () => {
  const listed = () => listPackage(path.join(resources, 'app.asar'), { isPack: false }).map((file) => file.slice(1));

  test('holds the application, its pack and its libraries, and no other file', async () => {
    const unpacked = path.join(resources, 'app.asar.unpacked');
    const isFile = async (file: string) => !(await stat(path.join(unpacked, file)).catch(() => undefined))?.isDirectory();
    const own = listed().filter((file) => !file.startsWith('node_modules'));
    const files = own.filter((file) => path.extname(file) !== '' || file === 'LICENSE');
    expect(files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const file of [
      'dist/main/electron.js',
      'dist/preload/preload.cjs',
      'dist/renderer/index.html',
      'models/sketch/transformer.safetensors',
    ]) {
      expect(files).toContain(file);
      expect(await isFile(file)).toBe(true);
    }
  });

  test('carries ONNX Runtime for this system alone, outside the archive', async () => {
    const place = path.join(resources, 'app.asar.unpacked/node_modules/onnxruntime-node/bin/napi-v6');
    const files = (await readdir(place, { recursive: true })).filter((file) => path.extname(file) !== '');
    expect(files.every((file) => file.startsWith(PLATFORM))).toBe(true);
    const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(place, file))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * MEGABYTE);
  });

  test('has its fuses burnt: no options and no inspector from outside, and no other archive', async () => {
    const executable = await readFile(path.join(folder, 'release/linux-unpacked/scalebrush'));
    const wire = executable.subarray(executable.indexOf('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX') + 34).toString('latin1');
    // runAsNode, cookies encrypted, NODE_OPTIONS, inspector, integrity, only the archive
    expect(wire.slice(0, 6)).toBe('110001');
  });

  test('starts: the packed application does the main job under the double', async () => {
    const extracted = path.join(folder, 'extracted');
    extractAll(path.join(resources, 'app.asar'), extracted);
    await cp(path.join(resources, 'app.asar.unpacked'), extracted, { recursive: true });
    const env = { ...process.env, SCALEBRUSH_DESKTOP: extracted };
    const args = ['playwright', 'test', 'desktop.spec', '--grep', 'command line', '--output', path.join(folder, 'results')];
    const { stdout } = await run('npx', args, { env });
    expect(stdout).toMatch(/1 passed/u);
  }, 120_000);
});
