import { expect, type Page } from '@playwright/test';
import { expectPhase, saved, test } from '../support/studio.js';

async function edit(page: Page): Promise<Buffer> {
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const file = await saved(page, 'png');
  await page.getByRole('button', { name: 'Discard' }).click();
  return file;
}

/** How fast the map follows is measured by the bench of the engine, not here. */
test('9 control: strength 0 equals no control byte for byte, the range of scales matters, and both ends are set by keys', async ({
  studio,
}) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  const free = await edit(page);
  await page.getByRole('combobox', { name: 'Control', exact: true }).selectOption('canny');
  await expect(page.getByRole('img', { name: 'The map as the model sees it' })).toBeVisible();
  const all = await edit(page);
  expect(all.equals(free)).toBe(false);

  const [from, to] = [page.getByRole('slider', { name: 'From scale' }), page.getByRole('slider', { name: 'To scale' })];
  await expect(page.locator('fieldset', { has: from }).getByTestId('scale-tick')).toHaveCount(8);
  await to.focus();
  for (let step = 0; step < 9; step++) await page.keyboard.press('ArrowLeft');
  await expect(to).toHaveAttribute('aria-valuenow', '1');
  expect((await edit(page)).equals(all)).toBe(false);
  await to.press('End');
  await from.press('ArrowRight');
  await expect(from).toHaveAttribute('aria-valuenow', '2');
  await from.press('Home');
  expect((await edit(page)).equals(all)).toBe(true);

  await page.getByRole('slider', { name: 'Strength' }).press('Home');
  expect((await edit(page)).equals(free)).toBe(true);
});

test('9 control: the thumbnails of the scales are the ticks, and a pointer pulls the nearest end', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene(600, 100);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByRole('combobox', { name: 'Control', exact: true }).selectOption('depth');
  await expect(page.getByRole('spinbutton', { name: 'Near' })).toHaveValue('1');
  const ticks = page.locator('fieldset', { has: page.getByRole('slider', { name: 'To scale' }) }).getByTestId('scale-tick');
  await expect(ticks.locator('img')).toHaveCount(0);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(ticks.locator('img')).toHaveCount(8);
  await ticks.nth(5).scrollIntoViewIfNeeded();
  const box = (await ticks.nth(5).boundingBox())!;
  await page.mouse.click(box.x + box.width - 1, box.y + box.height / 2);
  await expect(page.getByRole('slider', { name: 'To scale' })).toHaveAttribute('aria-valuenow', '6');
});
