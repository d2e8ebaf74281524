import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from 'vite';
import type { Project } from '#contract/project.js';
import { verifyFolder } from '#packs/verify.js';
import { openJournal } from '#service/journal.js';
import { openPictureStore, type PictureStore } from '#service/pictures.js';
import { readProjectFile } from '#service/project-file.js';
import { readCard } from '#packs/card-file.js';
import { fakeEngine } from '../support/fake-engine.js';
import { numberedPicture } from '../support/numbered-project.js';
import { scenePng } from '../support/pictures.js';

/** Of all kinds together: `npm run fuzz -- kills` asks for more. */
const KILLS = Number(process.env['SCALEBRUSH_KILLS'] ?? 60) / 5;
const PATIENCE_MS = 120_000 + KILLS * 60_000;
/** A save takes a few milliseconds. */
const LONGEST_LIFE_MS = 60;
const CLI = path.resolve('dist/main/cli.js');
const CHECKPOINT = ['var_d3.pth', 'vae_ch32v64z8.pth'].map((name) => path.resolve('test/golden/var-mini', name));

let root: string;
let store: PictureStore;
const at = (...names: string[]) => path.join(root, ...names);

/** Plain Node cannot run TypeScript: the writer is bundled first. */
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'kills-test-'));
  for (const kind of ['save', 'journal', 'project'])
    for (const name of ['pictures', 'saved']) await mkdir(at(kind, name), { recursive: true });
  await mkdir(at('tmp'));
  store = await openPictureStore({ engine: fakeEngine(), parent: root });
  const output = { entryFileNames: 'writer.mjs' };
  const bundle = { ssr: 'test/support/endless-writer.ts', outDir: root, emptyOutDir: false, rolldownOptions: { output } };
  await build({ configFile: false, logLevel: 'error', ssr: { noExternal: true }, build: bundle });
});

afterAll(async () => {
  store.close();
  await rm(root, { recursive: true, force: true });
});

/** Lets a writer live for a moment, and says what it had saved for certain. What earlier ones left is gone by then. */
async function killedWriter(kind: string, from: number): Promise<number> {
  const child = fork(at('writer.mjs'), [kind, at(kind), String(from)], { stdio: 'inherit' });
  let last = -1;
  child.on('message', (number: number) => {
    last = number;
  });
  await once(child, 'message');
  expect(await straysOf(kind, child.pid ?? 0)).toEqual([]);
  await pause(Math.random() * LONGEST_LIFE_MS);
  await kill(child);
  return last;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** All that lies there and belongs to nobody who lives. */
async function straysOf(kind: string, alive: number): Promise<readonly string[]> {
  const names = (await Promise.all(['pictures', 'saved', 'journal'].map((name) => readdir(at(kind, name)).catch(() => [])))).flat();
  return names.filter((name) => !name.includes(`-${String(alive)}-`) && !/^photo\.(?:png|scalebrush)$/u.test(name));
}

/** Of one number from its settings to the last byte of its picture; gives the number. */
async function wholeNumber(project: Project | null): Promise<number> {
  const number = project?.settings.seed ?? Number.NaN;
  const picture = project?.sheets[0]?.picture ?? '';
  expect(Buffer.compare((await store.get(picture)).bytes, numberedPicture(number))).toBe(0);
  await store.remove(picture);
  return number;
}

/** What a start after the kill finds, by kind; it gives the number of what is there. */
const FOUND: Readonly<Record<string, (kill: number) => Promise<number>>> = {
  save: async () => {
    const bytes = await readFile(at('save', 'saved', 'photo.png'));
    const number = bytes.at(-1) ?? Number.NaN;
    expect(Buffer.compare(bytes, numberedPicture(number))).toBe(0);
    return number;
  },
  project: async () => wholeNumber(await readProjectFile({ body: [await readFile(at('project', 'saved', 'photo.scalebrush'))] }, store)),
  journal: async (kill) => {
    const journal = openJournal({ folder: at('journal', 'journal'), pictures: store });
    const number = await wholeNumber(await journal.recover(`checker-${String(kill)}`));
    await journal.write(`checker-${String(kill)}`, null);
    return number;
  },
};

test.each(Object.keys(FOUND))(
  'a program that is killed while it writes leaves the old or the new, never less than it said, and nothing else: %s',
  async (kind) => {
    let from = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      // Pictures of numbers tell 256 of them apart.
      const last = await killedWriter(kind, from % 256);
      const found = await FOUND[kind]!(kill);
      expect([last, last + 1].map((number) => number % 256)).toContain(found % 256);
      from = found + 1;
    }
  },
  PATIENCE_MS,
);

interface Ended {
  readonly code: number | null;
  readonly ms: number;
  /** What it said until then. */
  readonly said: string;
}

/** The built command line, which may be killed after a while; otherwise it goes on to its end. */
async function program(args: readonly string[], liveMs?: number): Promise<Ended> {
  const env = { ...process.env, SCALEBRUSH_HOME: at('home'), TMPDIR: at('tmp') };
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env });
  const started = performance.now();
  let said = '';
  child.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
  const timer = liveMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), liveMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, said, ms: performance.now() - started };
}

/** Of a program that takes so long on this machine, its end and a little more included. */
const anyMoment = (ms: number) => Math.random() * 1.1 * ms;

test(
  'an import that is killed is there as a whole or not at all, and the next try ends it and leaves nothing else',
  async () => {
    const shelf = at('home', 'packs');
    const importing = ['packs', 'import', ...CHECKPOINT, '--name', 'mini'];
    const { ms } = await program(importing);
    await rm(path.join(shelf, 'mini'), { recursive: true });
    for (let kill = 0; kill < KILLS;) {
      if ((await program(importing, anyMoment(ms))).code === null) kill++;
      if (!existsSync(path.join(shelf, 'mini'))) {
        // Half of the next tries are killed, too: another one goes on where the last one ended.
        if (kill % 2 === 0) continue;
        expect((await program(importing)).code).toBe(0);
      }
      await expectSound(path.join(shelf, 'mini'));
      expect(await readdir(shelf)).toEqual(['mini']);
      await rm(path.join(shelf, 'mini'), { recursive: true });
    }
    await program(importing);
    expect(await readdir(shelf)).toEqual(['mini']);
    expect(await readdir(at('tmp'))).toEqual([]);
  },
  PATIENCE_MS,
);

async function expectSound(folder: string): Promise<void> {
  const { files } = await verifyFolder(await readCard(folder, folder), folder);
  expect(files.filter(({ ok }) => !ok)).toEqual([]);
  expect((await readdir(folder)).filter((name) => name.startsWith('.') || name.endsWith('.journal'))).toEqual([]);
}

test(
  'a batch that is killed again and again comes to its end: every picture once, as a batch that nobody killed makes it, and nothing else',
  async () => {
    const names = Array.from({ length: 6 }, (_, i) => `p${String(i)}.png`);
    await mkdir(at('in'));
    for (const [i, name] of names.entries()) await writeFile(at('in', name), await scenePng(48 + 8 * i, 48));
    // The smaller pack: it is opened after every kill.
    const batch = (out: string) => ['batch', at('in'), '-i', 'make it night', '--seed', '3', '--pack', 'sketch', '-o', at(out)];
    const whole = await program(batch('whole'));
    expect(whole.code).toBe(0);
    const acknowledged = new Set<string>();
    for (let kill = 0; kill < KILLS;) {
      const resume = existsSync(at('out', '.scalebrush-batch.json')) ? ['--resume'] : [];
      const { code, said } = await program([...batch('out'), ...resume], anyMoment(whole.ms));
      if (code === null) kill++;
      for (const [, name = ''] of said.matchAll(/→ .*?(p\d\.png)/gu)) acknowledged.add(name);
      const there = (await readdir(at('out')).catch(() => [])).filter((name) => !name.startsWith('.'));
      for (const name of there) expect(await readFile(at('out', name))).toEqual(await readFile(at('whole', name)));
      expect(there).toEqual(expect.arrayContaining([...acknowledged]));
      if (code === null) continue;
      expect(code).toBe(0);
      expect(await readdir(at('out'))).toEqual(await readdir(at('whole')));
      await rm(at('out'), { recursive: true });
      acknowledged.clear();
    }
    const resume = existsSync(at('out', '.scalebrush-batch.json')) ? ['--resume'] : [];
    expect((await program([...batch('out'), ...resume])).code).toBe(0);
    expect(await readdir(at('out'))).toEqual(await readdir(at('whole')));
    for (const name of names) expect(await readFile(at('out', name))).toEqual(await readFile(at('whole', name)));
    expect(await readdir(at('tmp'))).toEqual([]);
  },
  PATIENCE_MS,
);
