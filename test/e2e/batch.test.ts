import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchReport } from '#contract/batch.js';
import { mixedFolder } from '../support/mixed-folder.js';
import { scalebrush } from './support/cli.js';

let root: string;
const at = (...names: string[]) => path.join(root, ...names);
const WISH = ['-i', 'make it warmer', '--seed', '3'];

beforeAll(async () => {
  root = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-batch-'));
  await mkdir(at('in'));
  for (const { name, bytes } of await mixedFolder()) await writeFile(at('in', name), bytes);
});

afterAll(() => rm(root, { recursive: true }));

const pictures = async (folder: string) => (await readdir(at(folder))).filter((name) => !name.startsWith('.'));

/** Scenario 13, the script's half; the window's is in scenarios/13-folder-and-script.spec.ts. */
test('twenty mixed files: killed, resumed, each done as by its own command or refused with one line', { timeout: 240_000 }, async () => {
  const args = ['batch', at('in'), ...WISH, '-o', at('out')];
  const dry = await scalebrush(...args, '--dry-run', '--json');
  expect(dry.code).toBe(2);
  const planned = (JSON.parse(dry.stdout) as BatchReport).entries;
  expect(planned).toHaveLength(20);
  expect(planned.filter(({ error }) => error !== undefined).map(({ output }) => output)).toEqual(['broken.jpg']);
  expect(planned.filter(({ ms = 0 }) => ms > 0)).toHaveLength(19);

  const child = spawn(process.execPath, ['dist/main/cli.js', ...args], { stdio: 'ignore' });
  while ((await pictures('out').catch(() => [])).length < 4) await pause(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const before = await pictures('out');
  const written = await Promise.all(before.map(async (name) => (await stat(at('out', name))).mtimeMs));

  const { code, stdout, stderr } = await scalebrush(...args, '--resume', '--json', '--report', at('report.json'));
  expect(code).toBe(2);
  const report = JSON.parse(stdout) as BatchReport;
  expect(JSON.parse(await readFile(at('report.json'), 'utf8'))).toEqual(report);
  expect(report).toMatchObject({ refused: 1, waiting: 0 });
  expect(report.done + report.kept).toBe(19);
  // At most the picture that was at work when the kill came is made a second time.
  expect(report.kept).toBeGreaterThanOrEqual(before.length - 1);
  const kept = new Set(report.entries.filter(({ state }) => state === 'kept').map(({ output }) => output));
  for (const [i, name] of before.entries()) if (kept.has(name)) expect((await stat(at('out', name))).mtimeMs).toBe(written[i]);
  expect(stderr.match(/refused: .*/gu)).toHaveLength(1);

  for (const name of ['cmyk.jpg', 'alpha.png', 'picture-07.webp']) {
    const single = at(`single-${name}`);
    expect((await scalebrush('edit', at('in', name), ...WISH, '-o', single)).code).toBe(0);
    expect(await readFile(at('out', name))).toEqual(await readFile(single));
  }
});
