import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { edit, expectPhase, openBytes, type Host } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const button = (page: Page) => page.getByRole('button', { name: 'Save…' });
const dialog = (page: Page) => page.getByRole('dialog', { name: 'Save' });
const fileName = (page: Page) => dialog(page).getByRole('textbox', { name: 'Name', exact: true });
const said = (page: Page) => page.getByTestId('saved');

async function openPhoto(page: Page): Promise<void> {
  const photo = await sharp(await scenePng(320, 240))
    .jpeg()
    .toBuffer();
  await openBytes(page, 'p24.jpg', photo);
  await expectPhase(page, 'ready');
}

/** On the desktop the file is named where it is put, and there Playwright puts it under a name of its own. */
const savedAs = (host: Host, name: string) => (host === 'desktop' ? /^Saved \S/u : `Saved ${name}`);

async function save(page: Page): Promise<string> {
  const download = page.waitForEvent('download');
  await dialog(page).getByRole('button', { name: 'Save', exact: true }).click();
  return (await download).suggestedFilename();
}

test('saving says that it is under way, then what the file is called and where it lies', async ({ page, server: _, host }) => {
  await openPhoto(page);
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/call/picture.convert', async (route) => {
    await held;
    await route.continue();
  });
  await button(page).click();
  const file = save(page);
  await expect(said(page)).toContainText('Saving p24.jpg…');
  await expect(said(page).getByRole('progressbar')).toBeVisible();
  release();
  expect(await file).toBe('p24.jpg');
  await expect(said(page)).toContainText(savedAs(host, 'p24.jpg'));
  // A browser shows its own list of what it has saved.
  await expect(said(page).getByRole('button', { name: 'Show in folder' })).toHaveCount(host === 'desktop' ? 1 : 0);
  await said(page).getByRole('button', { name: 'Dismiss' }).click();
  await expect(said(page)).toHaveText('');
});

test('the button says whether a file holds what is shown: not of a photo as it was opened, of every edit until it is saved', async ({
  page,
  server: _,
}) => {
  const unsaved = /no file holds yet/u;
  await openPhoto(page);
  await expect(button(page)).not.toHaveAttribute('title', unsaved);
  for (const wish of ['make it night', 'make it warmer']) {
    await edit(page, wish);
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await expectPhase(page, 'ready');
    await expect(button(page)).toHaveAttribute('title', unsaved);
    await button(page).click();
    await save(page);
    await expect(button(page)).not.toHaveAttribute('title', unsaved);
  }
  // Of what was saved once, it goes on to be said.
  await page.getByTestId('canvas').focus();
  for (const key of ['ControlOrMeta+z', 'ControlOrMeta+Shift+z']) {
    await page.keyboard.press(key);
    await expect(button(page)).not.toHaveAttribute('title', unsaved);
  }
});

test('the name is the photo’s own, does not grow from edit to edit, and can be another; its ending follows the format', async ({
  page,
  server: _,
  host,
}) => {
  await openPhoto(page);
  for (const wish of ['make it night', 'make it warmer']) {
    await edit(page, wish);
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await expectPhase(page, 'ready');
    await button(page).click();
    await expect(fileName(page)).toHaveValue('p24.jpg');
    expect(await save(page)).toBe('p24.jpg');
  }
  await button(page).click();
  await fileName(page).fill('holiday.jpg');
  await dialog(page).getByRole('combobox', { name: 'Format' }).selectOption('webp');
  await expect(fileName(page)).toHaveValue('holiday.webp');
  expect(await save(page)).toBe('holiday.webp');
  await expect(said(page)).toContainText(savedAs(host, 'holiday.webp'));
});
