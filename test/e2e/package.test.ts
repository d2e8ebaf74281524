import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile, cp } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { extractAll, extractFile, listPackage } from '@electron/asar';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const MEGABYTE = 2 ** 20;
/** What may be in a package; node_modules is looked at by itself. */
const ALLOWED: readonly RegExp[] = [
  /^dist\/main\/(chunks\/[\w-]+|cli|electron|inference|server)\.js$/u,
  /^dist\/preload\/preload\.cjs$/u,
  /^dist\/renderer\/(index\.html|licences\.txt|assets\/[\w.-]+)$/u,
  /^models\/(sketch|studio)\/(card\.json|(tokenizer|transformer|depth|objects)\.safetensors)$/u,
  /^(LICENSE|package\.json)$/u,
];
/** Of the service's code: what judges names of files, and whether who wrote them lives. */
const PARSES_NOTHING =
  /^(src-main\/(base|contract|electron)\/.*|src-main\/(service\/(names|side-files|picture-folder)|packs\/owner|engine\/runtime\/(is-alive|process-status))\.ts|page-headers)$/u;
const PLATFORM = `${process.platform}/${process.arch}`;

let folder: string;
let resources: string;
/** By the packager. */
let said: string;

/** Stands for Electron's files: an executable with the wire that fuses are burnt into, and nothing else. */
async function standIn(): Promise<string> {
  const place = path.join(folder, 'electron');
  await mkdir(path.join(place, 'resources'), { recursive: true });
  const fuses = 9;
  const wire = Buffer.from([1, fuses, ...new Array<number>(fuses).fill('0'.charCodeAt(0))]);
  await writeFile(path.join(place, 'electron'), Buffer.concat([Buffer.from('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'), wire]), { mode: 0o755 });
  return place;
}

/** Which sources and libraries a built script consists of, with everything that it imports. */
function codeReachedFrom(entry: string): { readonly regions: string[]; readonly libraries: string[] } {
  const files = new Set([path.resolve(entry)]);
  const regions = new Set<string>();
  const libraries = new Set<string>();
  for (const file of files) {
    const text = readFileSync(file, 'utf8');
    // A chunk of one source does not name it, but is named by it.
    const named = [...text.matchAll(/^\/\/ (src-\S+)$/gmu)].map(([, region = '']) => region);
    for (const region of named.length > 0 ? named : [path.basename(file).replace(/-[^-]*$/u, '')]) regions.add(region);
    for (const [, name = ''] of text.matchAll(/(?:from|import) ?\(?"([^"]+)"/gu)) {
      if (name.startsWith('.')) files.add(path.resolve(path.dirname(file), name));
      else libraries.add(name);
    }
  }
  return { regions: [...regions], libraries: [...libraries].sort() };
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-package-'));
  const { version } = createRequire(import.meta.url)('electron/package.json') as { version: string };
  const overrides = { electronDist: await standIn(), electronVersion: version, 'directories.output': path.join(folder, 'release') };
  const words = Object.entries(overrides).map(([name, value]) => `-c.${name}=${value}`);
  said = (await run('npx', ['electron-builder', '--linux', 'dir', '--publish', 'never', ...words])).stdout;
  // What the sizes are on this system, for whoever reads the test's output.
  process.stdout.write(said.match(/.*unpacked.*\n/gu)?.join('') ?? '');
  resources = path.join(folder, 'release/linux-unpacked/resources');
}, 180_000);

afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(process.platform !== 'linux')('the package of this system (Linux only)', () => {
  const listed = () => listPackage(path.join(resources, 'app.asar'), { isPack: false }).map((file) => file.slice(1));

  test('holds the application, its packs and its libraries, and no other file', async () => {
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
      'models/studio/transformer.safetensors',
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

  test('carries the licence of every package in it, and looks nowhere for updates unless a build says where', async () => {
    const packages = listed().flatMap((file) => /^node_modules\/((?:@[^/]+\/)?[^/@]+)\/package\.json$/u.exec(file)?.[1] ?? []);
    expect(packages.length).toBeGreaterThan(50);
    const text = extractFile(path.join(resources, 'app.asar'), 'dist/renderer/licences.txt').toString();
    const named = new Set(text.match(/(?<=^-{80}\n\n)\S+/gmu));
    expect(packages.filter((name) => !named.has(name))).toEqual([]);
    expect([named.has('svelte'), named.has('electron'), text.includes('GNU LESSER GENERAL PUBLIC LICENSE')]).toEqual([true, true, true]);
    expect(await readdir(resources)).not.toContain('app-update.yml');
    expect(said).toMatch(/unpacked linux .*: [\d.]+ MB, ONNX Runtime in it: [1-5]?\d\.\d MB/u);
  });

  test('the main process parses nothing that a user brings: no reader of pictures, projects or weights is among its code', () => {
    const { regions, libraries } = codeReachedFrom('dist/main/electron.js');
    expect(regions).toContain('src-main/electron/main.ts');
    expect(regions.filter((file) => !PARSES_NOTHING.test(file))).toEqual([]);
    expect(libraries.filter((name) => !name.startsWith('node:'))).toEqual(['electron', 'electron-log/node', 'electron-updater', 'valibot']);
  });

  test('has its fuses burnt: no script as Node, no options and no inspector from outside, and no other archive', async () => {
    const executable = await readFile(path.join(folder, 'release/linux-unpacked/scalebrush'));
    const wire = executable.subarray(executable.indexOf('dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX') + 34).toString('latin1');
    // runAsNode, cookies encrypted, NODE_OPTIONS, inspector, integrity, only the archive, own snapshot, powers of file://
    expect(wire.slice(0, 8)).toBe('01000100');
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
