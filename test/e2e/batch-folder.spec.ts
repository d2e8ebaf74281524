import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { smallTargets, spills, violations } from './support/looks.js';
import { test } from './support/fake-window.js';

// A busy machine looks for a while.
test.slow();

test('a batch writes into a folder that was chosen, and overwrites nothing there', async ({ page, server: _ }) => {
  // A folder that the page has without asking stands for the one that a user chooses.
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('results', { create: true });
    const there = await (await folder.getFileHandle('a.png', { create: true })).createWritable();
    await there.write('mine');
    await there.close();
    Object.assign(window, { showDirectoryPicker: () => Promise.resolve(folder) });
  });
  const buffer = Buffer.from(await scenePng(64, 48));
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  await page.getByTestId('batch-input').setInputFiles(['a.png', 'b.png'].map((name) => ({ name, mimeType: 'image/png', buffer })));
  await dialog.getByRole('button', { name: 'Into a folder…' }).click();
  await expect(page.getByTestId('batch-target')).toContainText('“results”; 0 written');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  expect(await smallTargets(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(page.getByTestId('batch-target')).toContainText('2 written');
  const files = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('results');
    const found: string[] = [];
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
      found.push(`${name} ${String((await (await folder.getFileHandle(name)).getFile()).size > 4)}`);
    }
    return found.sort();
  });
  expect(files).toEqual(['a-2.png true', 'a.png false', 'b.png true']);
});

test('of a folder its pictures are taken, in order, and results are named after them: none twice', async ({
  page,
  server: _,
}, testInfo) => {
  const folder = testInfo.outputPath('photos');
  await mkdir(folder);
  const picture = await scenePng(64, 48);
  for (const name of ['b.png', 'a.png', 'a.jpg']) await writeFile(path.join(folder, name), picture);
  await writeFile(path.join(folder, 'notes.txt'), 'no picture');
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('button', { name: 'Many pictures at once' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  await page.getByTestId('batch-folder').setInputFiles(folder);
  await expect(page.getByTestId('batch-entry').locator('.name')).toHaveText(['a.jpg', 'a.png', 'b.png']);
  await dialog.getByRole('button', { name: 'Start' }).click();
  const saves = dialog.getByTestId('batch-entry').getByRole('button', { name: /^Save /u });
  await expect(saves).toHaveCount(3);
  const names: string[] = [];
  for (const save of await saves.all()) {
    const download = page.waitForEvent('download');
    await save.click();
    names.push((await download).suggestedFilename());
  }
  expect(names.map((name) => name[0])).toEqual(['a', 'a', 'b']);
  expect(new Set(names).size).toBe(3);
});
