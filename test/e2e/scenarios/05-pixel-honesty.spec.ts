import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { DEEP_EDGE, deepMask, deepPhoto, isNearDeepMask } from '../../support/photographs.js';
import { differingPixels, rawPicture } from '../support/honesty.js';
import { expectPhase, saved, test } from '../support/studio.js';

const EDITS = 20;

async function editUnderLastMask(page: Page, instruction: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(instruction);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Keep' }).click();
  await expectPhase(page, 'ready');
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Use the last mask again' }).click();
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
}

test('5 pixel honesty: twenty edits in a row of a 16-bit photograph in P3 leave every sample beside the mask', async ({
  studio: { page },
}) => {
  test.setTimeout(EDITS * 20_000);
  const source = await deepPhoto();
  await page.getByTestId('file-input').setInputFiles({ name: 'deep.png', mimeType: 'image/png', buffer: source });
  await expectPhase(page, 'ready');
  const buffer = Buffer.from(await deepMask());
  await page.getByTestId('mask-input').setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer });
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  await page.getByRole('radio', { name: 'Draft' }).check();
  await page.getByRole('spinbutton', { name: 'Soft edge, px' }).fill(String(DEEP_EDGE));
  for (let k = 1; k <= EDITS; k++) await editUnderLastMask(page, k % 2 ? 'make it warmer' : 'make it cooler');
  await expect(page.getByTestId('history-step')).toHaveCount(EDITS + 1);

  const result = await saved(page, 'png');
  expect((await sharp(result).metadata()).depth).toBe('ushort');
  const [before, after] = [await rawPicture(source), await rawPicture(result)];
  expect(after.icc).toEqual(before.icc);
  expect(differingPixels(before, after, isNearDeepMask)).toBe(0);
  expect(differingPixels(before, after, () => false)).toBeGreaterThan(0);
});
