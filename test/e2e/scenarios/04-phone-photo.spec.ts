import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { expect } from '@playwright/test';
import sharp from 'sharp';
import { holdsPlace, isNearPhoneMask, PHONE_TAGS, phoneMask, phonePhoto } from '../../support/photographs.js';
import { differingPixels, rawPicture } from '../support/honesty.js';
import { expectPhase, saved, test } from '../support/studio.js';

const sha256 = async (file: string) => createHash('sha256').update(await readFile(file)).digest('hex'); // prettier-ignore

test('4 phone photo: opened upright, edited at its top, saved with tags and profile, its place left out where unticked', async ({
  studio: { page },
}, info) => {
  test.slow();
  const file = info.outputPath('phone.jpg');
  await writeFile(file, await phonePhoto());
  const before = await sha256(file);
  await page.getByTestId('file-input').setInputFiles(file);
  await expectPhase(page, 'ready');
  await expect(page.getByRole('banner')).toContainText('3000 × 4000');
  const buffer = Buffer.from(await phoneMask());
  await page.getByTestId('mask-input').setInputFiles({ name: 'top.png', mimeType: 'image/png', buffer });
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await page.getByRole('textbox', { name: 'Instruction' }).press('Enter');
  await expectPhase(page, 'done', 120_000);

  const place = page.getByRole('checkbox', { name: 'Keep where it was taken' });
  const placed = await saved(page, 'jpeg', () => expect(place).toBeChecked());
  const stripped = await saved(page, 'jpeg', () => place.uncheck());
  const source = await sharp(file).metadata();
  for (const picture of [placed, stripped]) {
    const { width, height, orientation, icc, exif } = await sharp(picture).metadata();
    expect([width, height, orientation]).toEqual([3000, 4000, 1]);
    expect(icc).toEqual(source.icc);
    for (const tag of PHONE_TAGS) expect(exif!.toString('latin1')).toContain(tag);
    expect(holdsPlace(exif!)).toBe(picture === placed);
  }

  const [upright, edited] = [await rawPicture(file), await rawPicture(await saved(page, 'png'))];
  expect(differingPixels(upright, edited, isNearPhoneMask)).toBe(0);
  expect(differingPixels(upright, edited, () => false)).toBeGreaterThan(0);
  expect(await sha256(file)).toBe(before);
});
