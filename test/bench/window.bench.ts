import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { renderScene } from '../support/pictures.js';
import { expectPhase, test } from '../e2e/support/studio.js';
import { writeSection } from './results.js';

const SIZE = { width: 6000, height: 4000 } as const;
const SECTION = '## The window on 24 megapixels';

interface Frames {
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly longTasks: readonly number[];
}

/** Starts to note every frame's length and every task of more than 50 ms. */
async function watch(page: Page): Promise<void> {
  await page.evaluate(() => {
    const noted = { frames: [] as number[], tasks: [] as number[], last: 0, on: true };
    Object.assign(window, { noted });
    const observer = new PerformanceObserver((list) => noted.tasks.push(...list.getEntries().map(({ duration }) => duration)));
    observer.observe({ entryTypes: ['longtask'] });
    const frame = (now: number): void => {
      if (noted.last > 0) noted.frames.push(now - noted.last);
      noted.last = now;
      if (noted.on) requestAnimationFrame(frame);
      else observer.disconnect();
    };
    requestAnimationFrame(frame);
  });
}

async function seen(page: Page): Promise<Frames> {
  const { frames, tasks } = await page.evaluate(async () => {
    const { noted } = window as unknown as { noted: { frames: number[]; tasks: number[]; on: boolean } };
    noted.on = false;
    // Long tasks are reported a moment after they end.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return noted;
  });
  const sorted = [...frames].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { medianMs: at(0.5), p95Ms: at(0.95), longTasks: tasks };
}

async function measure(page: Page, work: () => Promise<void>): Promise<Frames> {
  await watch(page);
  await work();
  return seen(page);
}

/** Round and round over the picture, as fast as the page takes it. */
async function circle(page: Page, { button = 'left', turns = 3 }: { button?: 'left' | 'middle'; turns?: number } = {}): Promise<void> {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  const at = (angle: number) =>
    [box.x + box.width * (0.5 + 0.25 * Math.cos(angle)), box.y + box.height * (0.5 + 0.25 * Math.sin(angle))] as const;
  await page.mouse.move(...at(0));
  await page.mouse.down({ button });
  for (let step = 1; step <= turns * 60; step++) await page.mouse.move(...at((step * Math.PI) / 30));
  await page.mouse.up({ button });
}

async function wheel(page: Page): Promise<void> {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let step = 0; step < 60; step++) await page.mouse.wheel(0, step < 30 ? -60 : 60);
}

test('the window on 24 megapixels', async ({ studio: { page } }) => {
  const scene = sharp(renderScene(SIZE.width, SIZE.height), { raw: { ...SIZE, channels: 3 } });
  const buffer = await scene.jpeg({ quality: 92 }).toBuffer();
  const rows: (readonly [string, Frames])[] = [];
  const note = async (name: string, work: () => Promise<void>) => rows.push([name, await measure(page, work)]);
  await note('opening', async () => {
    await page.getByTestId('file-input').setInputFiles({ name: 'large.jpg', mimeType: 'image/jpeg', buffer });
    await expectPhase(page, 'ready');
  });
  await note('brushing, fitted', () => circle(page));
  await note('undo and redo of a stroke', async () => {
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByRole('button', { name: 'Redo' }).click();
  });
  await note('zooming by the wheel', () => wheel(page));
  await page.getByRole('button', { name: '1:1' }).click();
  await note('brushing at 1:1', () => circle(page));
  await note('moving the picture at 1:1', () => circle(page, { button: 'middle' }));
  await page.getByRole('button', { name: 'Fit', exact: true }).click();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await note('an edit under the mask, to its end', async () => {
    await page.getByTestId('main-button').click();
    await expectPhase(page, 'done', 120_000);
  });
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('button', { name: 'Clear mask' }).click();
  await note('an edit of the whole picture, to its end', async () => {
    await page.getByTestId('main-button').click();
    await expectPhase(page, 'done', 120_000);
  });
  await page.getByRole('button', { name: 'Discard' }).click();
  const memory = await afterManyEdits(page, note);
  await write(rows, memory);
});

const EDITS = 20;
const WORDS = ['make it warmer', 'make it black and white', 'make the car blue', 'make it night'];

/** Twenty kept edits, each under a mask of its own, and back: what the page's process holds, and how long undoing takes. */
async function afterManyEdits(page: Page, note: (name: string, work: () => Promise<void>) => Promise<unknown>): Promise<Memory> {
  const before = await rendererBytes(page);
  for (let i = 0; i < EDITS; i++) {
    await circle(page, { turns: 1 });
    await page.getByRole('textbox', { name: 'Instruction' }).fill(WORDS[i % WORDS.length]!);
    await page.getByTestId('main-button').click();
    await expectPhase(page, 'done', 120_000);
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await expectPhase(page, 'ready');
  }
  await page.getByTestId('canvas').focus();
  const after = await rendererBytes(page);
  const undoMs: number[] = [];
  const workBefore = await mainThreadMs(page);
  await note(`${String(EDITS)} kept edits undone, one by one`, async () => {
    for (let i = 0; i < EDITS * 2; i++) undoMs.push(await undone(page));
  });
  const workMs = ((await mainThreadMs(page)) - workBefore) / undoMs.length;
  return { before, after, workMs, undoMs: undoMs.sort((a, b) => a - b) };
}

interface Memory {
  readonly before: number;
  readonly after: number;
  /** Processor time of the page's own thread for one undo, whatever else the machine does. */
  readonly workMs: number;
  readonly undoMs: readonly number[];
}

/** From the key to the frame that shows what was there before. */
function undone(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const began = performance.now();
    const button = document.querySelector<HTMLElement>('[aria-label="Undo"]');
    button?.click();
    await new Promise(requestAnimationFrame);
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - began;
  });
}

/** Of the largest process that shows pages: what the system says of its memory. */
async function rendererBytes(page: Page): Promise<number> {
  return (await rendererOf(page)).bytes;
}

/** What its own thread has worked so far. */
async function mainThreadMs(page: Page): Promise<number> {
  const { id } = await rendererOf(page);
  const [ns = '0'] = (await readFile(`/proc/${String(id)}/task/${String(id)}/schedstat`, 'utf8')).split(' ');
  return Number(ns) / 1e6;
}

async function rendererOf(page: Page): Promise<{ readonly id: number; readonly bytes: number }> {
  const session = await page.context().browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const ids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  const all = await Promise.all(
    ids.map(async (id) => {
      const status = await readFile(`/proc/${String(id)}/status`, 'utf8');
      return { id, bytes: 1024 * Number(/^VmRSS:\s+(\d+) kB/mu.exec(status)?.[1]) };
    }),
  );
  return all.sort((a, b) => b.bytes - a.bytes)[0]!;
}

async function write(rows: readonly (readonly [string, Frames])[], { before, after, workMs, undoMs }: Memory): Promise<void> {
  const ms = (value: number) => value.toFixed(0);
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(2);
  const lines = rows.map(([name, { medianMs, p95Ms, longTasks }]) => {
    const longest = longTasks.length === 0 ? 'none' : `${longTasks.length}, longest ${ms(Math.max(...longTasks))}`;
    return `| ${name} | ${ms(medianMs)} | ${ms(p95Ms)} | ${longest} |`;
  });
  await writeSection([
    SECTION,
    '',
    `A rendered scene of ${SIZE.width}×${SIZE.height} in Chromium without a GPU, on the machine above; frames as requestAnimationFrame sees them.`,
    '',
    '| | median frame, ms | 95th percentile, ms | tasks over 50 ms |',
    '|---|---|---|---|',
    ...lines,
    '',
    `The page's process holds ${gigabytes(before)} GB with the photograph open and ${gigabytes(after)} GB after ${String(EDITS)} kept edits; undoing one takes ${ms(workMs)} ms of the page's own thread, and by the clock of a machine that was busy otherwise ${ms(undoMs[Math.floor(undoMs.length / 2)] ?? 0)} ms, ${ms(undoMs.at(-1) ?? 0)} ms at most.`,
  ]);
}
