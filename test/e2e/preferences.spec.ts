import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { LOOKS, spills, violations } from './support/looks.js';
import { test } from './support/masks.js';
import { expectPhase, saved, test as studioTest } from './support/studio.js';
import sharp from 'sharp';

// A busy machine looks for a while.
test.slow();
studioTest.slow();

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Preferences' });
const candidates = (page: Page) => page.getByTestId('candidate');

async function prefer(page: Page, field: string, option: string): Promise<void> {
  await page.keyboard.press('Control+,');
  await dialog(page).getByRole('combobox', { name: field }).selectOption(option);
  await page.keyboard.press('Escape');
}

async function run(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make the car red');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

test.describe('a first run', () => {
  test('makes one picture, then as many more as a second has room for', async ({ page, server }) => {
    server.script.totalMs = 300;
    await prefer(page, 'Variants of a run', 'What a second allows (1 to 4)');
    await run(page);
    await expect(candidates(page)).toHaveCount(2);
    expect(server.requests.map(({ seed, count }) => [seed, count])).toEqual([
      [0, 1],
      [1, 3],
    ]);
    // The next ones are asked for one by one.
    await page.getByTestId('main-button').click();
    await expect(candidates(page)).toHaveCount(3);
    expect(server.requests).toHaveLength(3);
  });

  test('of a slow model makes one', async ({ page, server }) => {
    server.script.totalMs = 1200;
    await prefer(page, 'Variants of a run', 'What a second allows (1 to 4)');
    await run(page);
    await expect(page.getByRole('button', { name: 'Keep', exact: true })).toBeVisible();
    expect(server.requests).toHaveLength(1);
  });

  test('makes as many as are liked, or as the wish says', async ({ page, server }) => {
    await prefer(page, 'Variants of a run', '3');
    await run(page);
    expect(server.requests[0]?.count).toBe(3);
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('spinbutton', { name: 'Candidates' }).fill('2');
    await page.getByTestId('main-button').click();
    await expect.poll(() => server.requests.at(-1)?.count).toBe(2);
  });
});

test('models that were drawn with stand first in the list, the last of them on top, at the next start too', async ({ page, server }) => {
  const [own] = server.packs;
  server.packs.push(...['Atlas', 'Birch'].map((title) => ({ ...own!, name: title.toLowerCase(), title })));
  const model = page.getByRole('combobox', { name: 'Model', exact: true });
  const used = model.locator('optgroup').first().locator('option');
  await page.reload();
  await expectPhase(page, 'empty');
  for (const [name, titles] of [
    ['atlas', ['Atlas']],
    ['birch', ['Birch', 'Atlas']],
  ] as const) {
    const buffer = Buffer.from(await scenePng(320, 240));
    await page.getByTestId('file-input').setInputFiles({ name: `${name}.png`, mimeType: 'image/png', buffer });
    await expect(page.locator('header > .name')).toHaveText(`${name}.png`);
    await expectPhase(page, 'ready');
    await model.selectOption(name);
    await run(page);
    await expect(used).toHaveText(titles);
  }
  await expect.poll(() => server.preferences.recentPacks).toEqual(['birch', 'atlas']);
  await page.reload();
  await expectPhase(page, 'empty');
  await expect(used).toHaveText(['Birch', 'Atlas']);
});

test('a model that is liked is the one of the next start, whichever was used last', async ({ page, server }) => {
  const [own] = server.packs;
  server.packs.push({ ...own!, name: 'atlas', title: 'Atlas' });
  const model = page.getByRole('combobox', { name: 'Model', exact: true });
  await page.reload();
  await expectPhase(page, 'empty');
  await expect(model).toHaveValue(own!.name);
  await prefer(page, 'Model at the start', 'Atlas');
  await page.reload();
  await expect(model).toHaveValue('atlas');
});

studioTest('what is liked is saved with, drawn with and kept for the next start', async ({ studio, program }) => {
  const { page, openScene } = studio;
  await openScene();
  await prefer(page, 'File format', 'webp');
  await page.keyboard.press('Control+,');
  await dialog(page).getByRole('spinbutton', { name: 'Quality of JPEG, WebP and AVIF' }).fill('61');
  await dialog(page).getByRole('spinbutton', { name: 'Memory for the model, in MB' }).fill('128');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Save…' }).click();
  await expect(page.getByRole('combobox', { name: 'Format' })).toHaveValue('webp');
  await expect(page.getByRole('spinbutton', { name: 'Quality' })).toHaveValue('61');
  await page.keyboard.press('Escape');
  // The model needs more than that: it is refused before it is loaded, with what is missing.
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make the car red');
  await page.getByTestId('main-button').click();
  await expect(page.getByRole('alert')).toContainText('128 MB', { timeout: 60_000 });
  await studio.stop();
  const again = await program.start();
  await again.page.keyboard.press('Control+,');
  await expect(dialog(again.page).getByRole('combobox', { name: 'File format' })).toHaveValue('webp');
  await expect(dialog(again.page).getByRole('spinbutton', { name: 'Memory for the model, in MB' })).toHaveValue('128');
});

studioTest('a saved picture is of the format that is liked', async ({ studio: { page, openScene } }) => {
  await openScene();
  await prefer(page, 'File format', 'webp');
  await page.getByRole('button', { name: 'Save…' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save', exact: true }).click()]);
  expect(download.suggestedFilename()).toBe('scene.webp');
  expect((await sharp(await saved(page, 'png')).metadata()).format).toBe('png');
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('the panel fits, in German too', async ({ page }) => {
      await page.keyboard.press('Control+,');
      // The longest of the choices.
      await dialog(page).getByRole('combobox', { name: 'Variants of a run' }).selectOption('What a second allows (1 to 4)');
      await dialog(page).getByRole('combobox', { name: 'Language' }).selectOption('de');
      await expect(page.getByRole('dialog', { name: 'Einstellungen' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
