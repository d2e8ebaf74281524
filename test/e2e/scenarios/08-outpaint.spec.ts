import { expect } from '@playwright/test';
import { rgbOf } from '../../support/pictures.js';
import { canvasShot, expectPhase, saved, test } from '../support/studio.js';

const SIZE = { width: 320, height: 240 } as const;
/** What makes 320 × 240 as wide as 16:9. */
const WIDE = 427;

test('8 outpaint: the right border grows to 16:9, old pixels stay sample by sample, and it can be undone', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(SIZE.width, SIZE.height);
  const source = await rgbOf(await saved(page, 'png'));
  await page.getByRole('slider', { name: 'Pull the border: Right' }).focus();
  for (let step = 0; step < 6; step++) await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('spinbutton', { name: 'Right' })).toHaveValue('96');
  await page.getByRole('spinbutton', { name: 'Right' }).fill(String(WIDE - SIZE.width));
  await expect(page.getByRole('banner')).toContainText(`${WIDE} × ${SIZE.height}`);
  const before = await canvasShot(page);
  await page.getByRole('spinbutton', { name: 'Soft edge, px' }).fill('0');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const result = await rgbOf(await saved(page, 'png'));
  expect([result.width, result.height]).toEqual([WIDE, SIZE.height]);

  let differing = 0;
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width * 3; x++) {
      if (result.samples[y * WIDE * 3 + x] !== source.samples[y * SIZE.width * 3 + x]) differing += 1;
    }
  }
  expect(differing).toBe(0);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expectPhase(page, 'ready');
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
});
