import { expect, type Page } from '@playwright/test';
import { LOOKS, spills, violations } from './support/looks.js';
import { paintedShare, savedMask, SIZE, test } from './support/masks.js';
import { canvasShot, stroke } from './support/studio.js';

const tool = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function rectangle(page: Page, how: 'Add' | 'Subtract' | 'Intersect', [from, to]: readonly [[number, number], [number, number]]) {
  await page.getByTestId('canvas').focus();
  if ((await tool(page, 'Rectangle').getAttribute('aria-pressed')) !== 'true') await tool(page, 'Rectangle').click();
  await page.getByRole('group', { name: 'What is drawn' }).getByRole('button', { name: how }).click();
  await stroke(page, from, to);
}

// A busy machine looks for a while.
test.slow();

/** Out of the way of the next stroke. */
test.use({ viewport: { width: 1024, height: 700 } });

test('outlines add, subtract and intersect', async ({ page }) => {
  await rectangle(page, 'Add', [[0.3, 0.3], [0.5, 0.6]]); // prettier-ignore
  const one = await paintedShare(page);
  await rectangle(page, 'Add', [[0.5, 0.3], [0.7, 0.6]]); // prettier-ignore
  const two = await paintedShare(page);
  expect(two / one).toBeCloseTo(2, 1);
  await rectangle(page, 'Intersect', [[0.4, 0.3], [0.6, 0.6]]); // prettier-ignore
  expect((await paintedShare(page)) / one).toBeCloseTo(1, 1);
  await rectangle(page, 'Subtract', [[0.4, 0.3], [0.5, 0.6]]); // prettier-ignore
  expect((await paintedShare(page)) / one).toBeCloseTo(0.5, 1);
  for (let i = 0; i < 4; i++) await page.keyboard.press('ControlOrMeta+z');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
});

test('masks of the list are combined, and those not painted on show as outlines', async ({ page }) => {
  await page.mouse.move(0, 0);
  const bare = await canvasShot(page);
  await rectangle(page, 'Add', [[0.3, 0.3], [0.6, 0.6]]); // prettier-ignore
  const first = await paintedShare(page);
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'New mask' }).click();
  await page.keyboard.press('Escape');
  await page.mouse.move(0, 0);
  // Nothing is painted on the new one, but the first is seen.
  await expect.poll(async () => (await canvasShot(page)) === bare).toBe(false);
  await rectangle(page, 'Add', [[0.45, 0.3], [0.75, 0.6]]); // prettier-ignore
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Intersect: Mask 1' }).click();
  await page.keyboard.press('Escape');
  expect((await paintedShare(page)) / first).toBeCloseTo(0.5, 1);
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Add: Mask 1' }).click();
  await page.keyboard.press('Escape');
  expect((await paintedShare(page)) / first).toBeCloseTo(1, 1);
});

test('the edge of a mask follows the photo, as one step', async ({ page }) => {
  await rectangle(page, 'Add', [[0.3, 0.3], [0.6, 0.6]]); // prettier-ignore
  const before = await savedMask(page);
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Follow edges of the photo' }).click();
  await page.keyboard.press('Escape');
  await expect.poll(async () => (await savedMask(page)).equals(before)).toBe(false);
  const after = await savedMask(page);
  // What is deep inside, and what is far away, stays.
  expect(after[Math.round(0.45 * SIZE.height) * SIZE.width + Math.round(0.45 * SIZE.width)]).toBe(255);
  expect(after[0]).toBe(0);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+z');
  expect((await savedMask(page)).equals(before)).toBe(true);
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('what combines them fits', async ({ page }) => {
      await rectangle(page, 'Subtract', [[0.3, 0.3], [0.6, 0.6]]); // prettier-ignore
      await page.getByRole('button', { name: 'Mask…' }).click();
      await page.getByRole('button', { name: 'New mask' }).click();
      await expect(page.getByRole('button', { name: 'Intersect: Mask 1' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
