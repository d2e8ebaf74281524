import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { copyBuild } from './support/desktop.js';

const run = promisify(execFile);
const root = path.resolve('.');
let folder: string;

// Beside the other specifications, not beside the unit tests: those would take the time that these wait for.
test.describe.configure({ timeout: 120_000 });

/** Each takes one wall away from the built desktop; a specification that still passes would be worth nothing. Some need an edit before them. */
const FAULTS: readonly (readonly [name: string, file: string, from: string | RegExp, to: string, spec: string])[] = [
  ['no content policy', 'dist/main', /"content-security-policy": \[/u, '"x-nothing": [', 'policy stops'],
  ['no guard on navigation', 'dist/main/electron.js', 'contents.on("will-navigate", stay);', '', 'led elsewhere'],
  ['popups allowed', 'dist/main/electron.js', 'action: "deny"', 'action: "allow"', 'led elsewhere'],
  ['contextIsolation off', 'dist/main/electron.js', 'contextIsolation: true', 'contextIsolation: false', 'no powers'],
  ['a renamed channel', 'dist/preload/preload.cjs', 'scalebrush:command', 'scalebrush:other', 'command line|menus do'],
  ['a preload script with fs', 'dist/preload/preload.cjs', 'let electron', 'require("fs");\nlet electron', 'no powers'],
  [
    'ipcRenderer lent to the page',
    'dist/preload/preload.cjs',
    'onCommand:',
    'ipcRenderer: () => electron.ipcRenderer,\n\tonCommand:',
    'no powers',
  ],
  ['a page that may be anyone’s', 'dist/main/electron.js', 'isOurPage(senderFrame) && ', '', 'of a stranger'],
  ['a message in any shape', 'dist/main/electron.js', 'isShort && ', '', 'of a stranger'],
  [
    'the window instead of 404',
    'dist/main/electron.js',
    '=== void 0 || type === void 0) return refusal(404)',
    '=== void 0) return answer(new Request("app://studio/"), parts)',
    'is 404',
  ],
  ['files beside the window', 'dist/main/electron.js', 'file.startsWith(folder + path.sep) && ', '', 'is 404'],
  ['no question before a run is lost', 'dist/main/electron.js', 'askBeforeLeaving(window, settings);', '', 'command line|closing while'],
];

test.beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-faults-'));
  await copyBuild(folder);
});

test.afterAll(() => rm(folder, { recursive: true }));

test('without a fault nothing is found', async () => {
  await buildAnew();
  // A slow machine is no fault: here they are waited for.
  expect(await failureOf(FAULTS.map(([, , , , spec]) => spec).join('|'), [])).toBe('');
});

for (const [name, target, from, to, spec] of FAULTS) {
  test(`${name} is found out`, async () => {
    await buildAnew();
    expect(await seed(path.join(folder, target), from, to)).toBe(1);
    expect(await failureOf(spec)).not.toBe('');
  });
}

async function buildAnew(): Promise<void> {
  await rm(path.join(folder, 'dist'), { recursive: true, force: true });
  await cp(path.join(root, 'dist'), path.join(folder, 'dist'), { recursive: true });
}

/** In how many files of a folder, or in the file itself, the text was replaced. */
async function seed(target: string, from: string | RegExp, to: string): Promise<number> {
  const isFile = path.extname(target) !== '';
  const names = isFile ? [''] : await readdir(target, { recursive: true });
  const files = names.map((name) => path.join(target, name)).filter((file) => /\.(js|cjs)$/u.test(file));
  let changed = 0;
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const faulty = text.replace(from, to);
    if (faulty === text) continue;
    await writeFile(file, faulty);
    changed += 1;
  }
  return changed;
}

/** What the specifications said; nothing where they passed. */
async function failureOf(spec: string, patience: readonly string[] = ['--timeout=15000']): Promise<string> {
  const filters = ['desktop.spec', '--project=desktop', `--grep=${spec}`];
  // A run of its own, which reports to nobody else's file.
  const { SCALEBRUSH_REPORT: _report, TEST_WORKER_INDEX: _worker, TEST_PARALLEL_INDEX: _parallel, ...rest } = process.env;
  const options = { cwd: root, env: { ...rest, SCALEBRUSH_DESKTOP: folder } };
  try {
    await run('npx', ['playwright', 'test', ...filters, ...patience, '--retries=0', `--output=${path.join(folder, 'results')}`], options);
    return '';
  } catch (error) {
    return String((error as { readonly stdout?: string }).stdout ?? error);
  }
}
