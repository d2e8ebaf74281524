import { expect } from '@playwright/test';
import sharp from 'sharp';
import { LOOKS, smallTargets, spills, violations } from './support/looks.js';
import { saved, test } from './support/studio.js';

test.slow();

test('a picture is saved smaller, sharpened and in the colours of the web; untouched where nothing is chosen', async ({
  studio: { page, openScene },
}) => {
  await openScene(1200, 900);
  const whole = await saved(page, 'png');
  expect((await sharp(whole).metadata()).width).toBe(1200);
  const small = await saved(page, 'png', async (dialog) => {
    await dialog.getByRole('combobox', { name: 'Longer side' }).selectOption('1080 px');
  });
  const sharper = await saved(page, 'png', async (dialog) => {
    await dialog.getByRole('combobox', { name: 'Sharpen' }).selectOption('For screens');
    await dialog.getByRole('combobox', { name: 'Colours' }).selectOption('sRGB (web)');
  });
  const { width, height, icc } = await sharp(sharper).metadata();
  expect([width, height, icc !== undefined]).toEqual([1080, 810, true]);
  const spread = async (file: Buffer) => (await sharp(file).stats()).sharpness;
  expect(await spread(sharper)).toBeGreaterThan(await spread(small));
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('the dialog fits, in German too', async ({ studio: { page, openScene } }) => {
      await openScene(1200, 900);
      await page.keyboard.press('Control+,');
      await page.getByRole('combobox', { name: /Language/u }).selectOption('de');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Speichern…' }).click();
      await expect(page.getByRole('combobox', { name: 'Längere Seite' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
      expect(await smallTargets(page)).toEqual([]);
    });
  });
}
