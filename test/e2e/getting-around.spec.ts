import { expect, type Page } from '@playwright/test';
import { spills, violations } from './support/looks.js';
import { test } from './support/masks.js';
import { canvasShot, stroke } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const clear = (page: Page) => page.getByRole('button', { name: 'Clear mask' });
const zoom = (page: Page) => page.locator('header .zoom');

test('the hand moves the picture and paints nothing', async ({ page }) => {
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('h');
  await expect(page.getByRole('button', { name: 'Hand: move the picture' })).toHaveAttribute('aria-pressed', 'true');
  const before = await canvasShot(page);
  await stroke(page, [0.5, 0.5], [0.6, 0.6]);
  expect(await canvasShot(page)).not.toBe(before);
  await expect(clear(page)).toBeDisabled();
  await page.keyboard.press('b');
  await stroke(page, [0.5, 0.5], [0.55, 0.5]);
  await expect(clear(page)).toBeEnabled();
});

test('a wheel zooms, two fingers move the picture, and a pinch zooms', async ({ page }) => {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const first = await zoom(page).textContent();
  await page.mouse.wheel(0, -240);
  await expect(zoom(page)).not.toHaveText(first!);
  const nearer = await zoom(page).textContent();
  const shot = await canvasShot(page);
  await page.mouse.wheel(14, 9);
  await expect.poll(async () => (await canvasShot(page)) === shot).toBe(false);
  await expect(zoom(page)).toHaveText(nearer!);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, 9);
  await page.keyboard.up('Control');
  await expect(zoom(page)).not.toHaveText(nearer!);
});

test('nearer than 400 % an overview says where one is, and goes elsewhere', async ({ page }) => {
  const overview = page.getByTestId('navigator');
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await expect(overview).toBeHidden();
  for (let i = 0; i < 5; i++) await page.mouse.wheel(0, -240);
  await expect(overview).toBeVisible();
  expect(await violations(page)).toEqual([]);
  // What lies beyond the screen there is the picture.
  expect((await spills(page)).filter((each) => !each.startsWith('DIV.surround'))).toEqual([]);
  const before = await canvasShot(page);
  await overview.click({ position: { x: 12, y: 12 } });
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(false);
  await page.getByRole('button', { name: 'Fit', exact: true }).click();
  await expect(overview).toBeHidden();
});
