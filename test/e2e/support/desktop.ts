import { cp, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { _electron, type ElectronApplication, type Page } from '@playwright/test';
import { electronBinary } from '../../support/electron-binary.js';

/** Another build where one is named: desktop-faults.spec.ts looks whether faults are found. */
export const BUILD = path.resolve(process.env['SCALEBRUSH_DESKTOP'] ?? '.');

export interface DesktopStart {
  /** Where it keeps its packs, journals and settings. */
  readonly home: string;
  readonly build?: string;
  /** Of the command line. */
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly colorScheme?: 'dark' | 'light' | 'no-preference';
  readonly locale?: string;
}

/** Starts the desktop on the real binary where it is, else on its double, and waits for the page. */
export async function launchDesktop({ home, build = BUILD, words = [], env, ...looks }: DesktopStart) {
  const app = await _electron.launch({
    executablePath: electronBinary(build).file,
    args: [build, ...words, `--user-data-dir=${path.join(home, 'desktop')}`],
    cwd: build,
    acceptDownloads: true,
    env: { ...(process.env as Record<string, string>), ...env, SCALEBRUSH_HOME: home },
    ...looks,
  });
  const page = await app.firstWindow();
  // Playwright would answer by itself what the application is to answer.
  page.on('dialog', () => undefined);
  await reachPage(page);
  return { app, page };
}

async function reachPage(page: Page): Promise<void> {
  // The double serves app://studio/ as a host of that name.
  await page.waitForURL(/\/\/studio/u);
  await page.waitForFunction(() => document.documentElement.dataset['phase'] !== undefined);
}

/** The utility process of a name, as Electron tells it on every system. */
export async function pidOf(app: ElectronApplication, name: string): Promise<number> {
  const all = await app.evaluate(({ app: shell }) => shell.getAppMetrics().map((each) => ({ name: each.name, pid: each.pid })));
  const found = all.find((each) => each.name === name);
  if (!found) throw new Error(`Expected a process ${name} but found ${all.map((each) => each.name).join(', ')}.`);
  return found.pid;
}

/** A copy of the build, in a folder that has what it needs beside it. */
export async function copyBuild(folder: string): Promise<void> {
  for (const name of ['node_modules', 'models', 'test']) await symlink(path.resolve(name), path.join(folder, name));
  await cp('package.json', path.join(folder, 'package.json'));
  await cp('dist', path.join(folder, 'dist'), { recursive: true });
}

/** The same, with a service that only says where another one is, which SCALEBRUSH_OTHER_SERVICE names. */
export async function copyBuildWithoutService(folder: string): Promise<void> {
  await copyBuild(folder);
  const says = 'console.log(JSON.stringify({ url: process.env.SCALEBRUSH_OTHER_SERVICE }));\nsetInterval(() => undefined, 2 ** 30);\n';
  await writeFile(path.join(folder, 'dist/main/server.js'), says);
}

/** From now on nothing is dragged, but noted. */
export function catchDrags(app: ElectronApplication): Promise<void> {
  return app.evaluate(({ BrowserWindow }) => {
    const world = globalThis as { dragged?: string };
    delete world.dragged;
    for (const { webContents } of BrowserWindow.getAllWindows()) webContents.startDrag = ({ file }) => (world.dragged = file);
  });
}

/** The file that was dragged last; empty where none was. */
export function draggedFile(app: ElectronApplication): Promise<string> {
  return app.evaluate(() => (globalThis as { dragged?: string }).dragged ?? '');
}
