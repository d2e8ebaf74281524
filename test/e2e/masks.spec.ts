import { readFile } from 'node:fs/promises';
import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { expectPhase, stroke } from './support/studio.js';

const SIZE = { width: 320, height: 240 };

test.beforeEach(async ({ page }) => {
  const buffer = Buffer.from(await scenePng(SIZE.width, SIZE.height));
  await page.getByTestId('file-input').setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer });
  await expectPhase(page, 'ready');
});

/** Share of the picture that is painted, from the file that the menu saves. */
async function paintedShare(page: Page): Promise<number> {
  const samples = await savedMask(page);
  return samples.filter((value) => value > 0).length / samples.length;
}

async function savedMask(page: Page): Promise<Buffer> {
  await page.getByRole('button', { name: 'Mask…' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the mask' }).click();
  const file = await (await download).path();
  return sharp(await readFile(file))
    .extractChannel(0)
    .raw()
    .toBuffer();
}

async function clickAt(page: Page, x: number, y: number): Promise<void> {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
}

test('a polygon is set corner by corner, closed on its first one, and dropped by Escape', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Polygon' }).click();
  for (const [x, y] of [[0.45, 0.45], [0.55, 0.45]] as const) await clickAt(page, x, y); // prettier-ignore
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  for (const [x, y] of [[0.42, 0.42], [0.58, 0.42], [0.58, 0.58], [0.42, 0.58], [0.42, 0.42]] as const) await clickAt(page, x, y); // prettier-ignore
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  expect(await paintedShare(page)).toBeGreaterThan(0.02);
});

test('growing and shrinking by the same number gives the mask back', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Ellipse' }).click();
  await stroke(page, [0.45, 0.42], [0.55, 0.58]);
  const before = await savedMask(page);
  for (const name of ['Grow', 'Shrink']) {
    await page.getByRole('button', { name: 'Mask…' }).click();
    await page.getByRole('button', { name, exact: true }).click();
    await page.keyboard.press('Escape');
  }
  const after = await savedMask(page);
  expect(after.filter((value, i) => value !== before[i]).length).toBeLessThan(12);
});

test('a mask that was saved is opened again, pixel for pixel; one of another shape is refused', async ({ page, server: _ }) => {
  await stroke(page, [0.45, 0.5], [0.55, 0.5]);
  const before = await savedMask(page);
  await page.getByRole('button', { name: 'Clear mask' }).click();
  const { width, height } = SIZE;
  const buffer = await sharp(before, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer });
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  expect((await savedMask(page)).equals(before)).toBe(true);
  const square = await sharp(buffer).resize(100, 100, { fit: 'fill' }).png().toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'square.png', mimeType: 'image/png', buffer: square });
  await expect(page.getByRole('alert')).toContainText('Expected a mask in the shape of 320×240 but received 100×100.');
});

test('similar pixels are selected by a click, and by keys', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Select similar' }).click();
  await expect(page.getByRole('slider', { name: 'How much colours may differ' })).toBeVisible();
  await clickAt(page, 0.5, 0.35);
  const byClick = await paintedShare(page);
  expect(byClick).toBeGreaterThan(0.01);
  await page.getByRole('button', { name: 'Clear mask' }).click();
  await page.getByTestId('canvas').focus();
  await page.mouse.move(0, 0);
  await page.keyboard.press('w');
  await page.keyboard.press('Enter');
  expect(await paintedShare(page)).toBeGreaterThan(0);
});

test('sixty steps are undone to nothing and redone to the last', async ({ page, server: _ }) => {
  await page.getByTestId('canvas').focus();
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
  }
  const painted = await paintedShare(page);
  for (let step = 0; step < 60; step++) await page.keyboard.press('ControlOrMeta+z');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  for (let step = 0; step < 60; step++) await page.keyboard.press('ControlOrMeta+Shift+z');
  expect(await paintedShare(page)).toBe(painted);
});

test('Alt and a drag size the brush', async ({ page, server: _ }) => {
  const size = page.getByRole('slider', { name: 'Brush size' });
  const before = await size.getAttribute('aria-valuetext');
  await page.keyboard.down('Alt');
  await stroke(page, [0.4, 0.5], [0.5, 0.5]);
  await page.keyboard.up('Alt');
  expect(await size.getAttribute('aria-valuetext')).not.toBe(before);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
});

test('a border is pulled by the mouse and by keys, and the photograph stays where it is meanwhile', async ({ page, server }) => {
  const handle = page.getByRole('slider', { name: 'Pull the border: Left' });
  const box = (await handle.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x - 60, box.y + box.height / 2, { steps: 6 });
  const right = page.getByRole('slider', { name: 'Pull the border: Right' });
  const before = (await right.boundingBox())!;
  await page.mouse.move(box.x - 90, box.y + box.height / 2, { steps: 3 });
  expect(Math.abs((await right.boundingBox())!.x - before.x)).toBeLessThan(1.5);
  await page.mouse.up();
  const left = Number(await handle.getAttribute('aria-valuenow'));
  expect(left).toBeGreaterThan(20);
  await right.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('spinbutton', { name: 'Left' })).toHaveValue(String(left));
  await page.getByRole('button', { name: 'Expand', exact: true }).click();
  await expectPhase(page, 'done');
  expect(server.requests[0]).toMatchObject({ task: 'expand', margins: { left, right: 16, top: 0, bottom: 0 } });
});

test('the control map is shown as the model sees it, and follows its thresholds', async ({ page, server: _ }) => {
  await page.getByRole('combobox', { name: 'Control' }).selectOption('canny');
  const map = page.getByRole('img', { name: 'The map as the model sees it' });
  await expect(map).toBeVisible();
  const first = await map.getAttribute('src');
  await page.getByRole('spinbutton', { name: 'Low' }).fill('40');
  await page.keyboard.press('Tab');
  await expect.poll(() => map.getAttribute('src')).not.toBe(first);
  await page.getByRole('combobox', { name: 'Control' }).selectOption('none');
  await expect(map).toBeHidden();
});
