import { expect } from '@playwright/test';
import { expectPhase, saved, test } from '../support/studio.js';

test('2 watch, stop, go on: previews in order, stopping leaves 4/8, and going on equals a run never stopped byte for byte', async ({
  studio,
}) => {
  const { page } = studio;
  await studio.openScene();
  await page.evaluate(() => {
    const order: number[] = [];
    Object.assign(window, { order });
    new MutationObserver((changes) => {
      for (const { target } of changes) {
        const { scale, state } = (target as HTMLElement).dataset;
        if (state === 'done') order.push(Number(scale));
      }
    }).observe(document.body, { subtree: true, attributeFilter: ['data-state'] });
  });
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(await page.evaluate(() => (window as unknown as { order: number[] }).order)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  await expect(page.getByTestId('scale-cell').first()).toContainText(/1\/8\s*\d+ ms/u);
  await expect(page.getByTestId('reached')).toBeHidden();
  const whole = await saved(page, 'png');

  await page.getByRole('button', { name: 'Scale 4 of 8' }).click();
  await page.getByRole('button', { name: 'Stop at scale 4' }).click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('reached')).toHaveText('4/8');
  expect((await saved(page, 'png')).equals(whole)).toBe(false);

  await page.getByRole('button', { name: 'Continue' }).click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('reached')).toBeHidden();
  expect((await saved(page, 'png')).equals(whole)).toBe(true);
});
