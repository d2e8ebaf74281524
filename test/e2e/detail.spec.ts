import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { paintedShare, test as masks } from './support/masks.js';
import { canvasShot, expectPhase, openBytes, stroke, test } from './support/studio.js';

const details = (page: Page) => page.locator('[data-testid="detail-cell"][data-state="done"]');

async function fillStroke(page: Page): Promise<void> {
  await stroke(page, [0.35, 0.6], [0.6, 0.65]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done', 120_000);
}

test('detail scales stand behind the model’s on the strip; a result stops there, goes on to the same picture, and is re-rolled', async ({
  studio,
}) => {
  const { page } = studio;
  await openBytes(page, 'scene.png', Buffer.from(await scenePng(1280, 960)));
  await expectPhase(page, 'ready');
  await fillStroke(page);
  await expect(page.getByTestId('led-by')).toContainText(/Led by the (?:model|photograph)/u);
  const count = await details(page).count();
  expect(count).toBeGreaterThan(1);
  await expect(details(page).last()).toContainText('original');
  const whole = await canvasShot(page);
  await details(page).first().getByRole('button').hover();
  await expect.poll(async () => (await canvasShot(page)) === whole).toBe(false);
  await details(page).first().getByRole('button').click();
  await page.getByRole('button', { name: /^Stop at (?:\d+ px|detail 1)$/u }).click();
  await expectPhase(page, 'done', 120_000);
  await page.mouse.move(0, 0);
  await expect(details(page)).toHaveCount(1);
  expect((await canvasShot(page)) === whole).toBe(false);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expectPhase(page, 'done', 120_000);
  await expect(details(page)).toHaveCount(count);
  await expect.poll(async () => (await canvasShot(page)) === whole).toBe(true);
  await details(page).first().getByRole('button').click();
  await page.getByRole('combobox', { name: 'Candidates' }).first().selectOption('2');
  await page.getByRole('button', { name: /^Re-roll from/u }).click();
  await expectPhase(page, 'done', 120_000);
  await expect(page.getByTestId('candidate')).toHaveCount(2);
});

test('detail from the photo can be left out', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('combobox', { name: 'Detail from the photo' }).selectOption('Off');
  await fillStroke(page);
  await expect(page.getByTestId('detail-cell')).toHaveCount(0);
  await expect(page.getByTestId('led-by')).toHaveCount(0);
});

masks('what detail is not copied from is painted on a mask of its own, beside what is repainted', async ({ page, server }) => {
  await stroke(page, [0.3, 0.5], [0.4, 0.5]);
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Don’t copy from…' }).click();
  await page.keyboard.press('Escape');
  await stroke(page, [0.6, 0.5], [0.7, 0.5]);
  await expect(page.getByTestId('main-button')).toContainText('Fill');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(server.requests[0]).toMatchObject({ task: 'fill', copy: { only: false } });
  expect(server.requests[0]?.mask).toBeDefined();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('combobox', { name: 'What the mask is for' }).selectOption('Copy only from here');
  await page.keyboard.press('Escape');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(server.requests[1]).toMatchObject({ copy: { only: true } });
});

masks('what lies beside the mask is taken into it by one press, and the result without it goes', async ({ page, server }) => {
  server.script.notices = [{ code: 'mask.edge', message: 'A shadow lies beside it.', details: { growPx: 20 } }];
  await stroke(page, [0.4, 0.5], [0.5, 0.5]);
  const painted = await paintedShare(page);
  await page.keyboard.press('Escape');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Take it into the mask' }).click();
  await expectPhase(page, 'ready');
  await expect(page.getByRole('button', { name: 'Take it into the mask' })).toHaveCount(0);
  expect(await paintedShare(page)).toBeGreaterThan(painted * 1.5);
  // Of what was kept there is no mask any more that could take it in.
  await page.keyboard.press('Escape');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.getByRole('button', { name: 'Take it into the mask' })).toBeVisible();
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expectPhase(page, 'ready');
  await expect(page.getByRole('button', { name: 'Take it into the mask' })).toHaveCount(0);
});
