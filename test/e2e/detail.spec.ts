import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { test as fake } from './support/fake-window.js';
import { test as masks } from './support/masks.js';
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
  await openBytes(page, 'scene.png', Buffer.from(await scenePng(640, 480)));
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

/** A red ball on grass, with its shadow. */
function ballSvg(withBall: boolean): Buffer {
  const shadow = '<ellipse cx="172" cy="158" rx="44" ry="12" fill="#2c4a20"/>';
  const ball = `<circle cx="160" cy="120" r="${withBall ? 36 : 39}" fill="${withBall ? '#c82020' : '#fff'}"/>`;
  const ground = `<rect width="320" height="240" fill="${withBall ? '#5a963c' : '#000'}"/>`;
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240">${ground}${withBall ? shadow : ''}${ball}</svg>`);
}

fake('a mask that leaves the shadow of an object outside is offered to grow, by one press', async ({ page, server: _ }) => {
  await openBytes(page, 'ball.png', await sharp(ballSvg(true)).png().toBuffer());
  await expectPhase(page, 'ready');
  const buffer = await sharp(ballSvg(false)).png().toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer });
  const offer = page.getByTestId('rest-offer');
  await expect(offer).toContainText('shadow');
  await offer.getByRole('button', { name: /^Grow the mask by \d+ px$/u }).click();
  await expect(offer).toHaveText('');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(offer).toContainText('shadow');
});
