import { expect } from '@playwright/test';
import sharp from 'sharp';
import { paintedShare, savedMask, SIZE, test } from './support/masks.js';
import { expectPhase, stroke } from './support/studio.js';

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
  await page.getByTestId('main-button').click();
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

test('soft brushes and soft edges are in the mask as they are shown, and come back from its file', async ({ page, server: _ }) => {
  const levels = (samples: Buffer) => new Set(samples).size;
  await stroke(page, [0.4, 0.5], [0.45, 0.5]);
  expect(levels(await savedMask(page))).toBe(2);
  await page.getByRole('slider', { name: 'Brush hardness' }).fill('0.5');
  await stroke(page, [0.6, 0.5], [0.65, 0.5]);
  const soft = await savedMask(page);
  expect(levels(soft)).toBeGreaterThan(8);
  await page.keyboard.press('{');
  await expect(page.getByRole('slider', { name: 'Brush hardness' })).toHaveValue('0.25');
  await page.getByRole('button', { name: 'Mask…' }).click();
  await page.getByRole('button', { name: 'Soft edge outside' }).click();
  await page.keyboard.press('Escape');
  const feathered = await savedMask(page);
  soft.forEach((value, i) => {
    if (feathered[i]! < value) throw new Error(`Expected at least ${value} at ${i} but received ${feathered[i]}.`);
  });
  await page.getByRole('button', { name: 'Undo' }).click();
  expect((await savedMask(page)).equals(soft)).toBe(true);
  await page.getByRole('button', { name: 'Clear mask' }).click();
  const buffer = await sharp(soft, { raw: { ...SIZE, channels: 1 } })
    .png()
    .toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer });
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  expect((await savedMask(page)).equals(soft)).toBe(true);
});

test('a run that is asked for while a map or a mask is on its way in waits for it', async ({ page, server }) => {
  const buffer = await sharp({ create: { ...SIZE, channels: 3, background: 'white' } })
    .png()
    .toBuffer();
  const bring = async (input: 'map-input' | 'mask-input'): Promise<void> => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    await page.route('**/api/pictures', async (route) => {
      await held;
      await route.continue();
    });
    const sent = page.waitForRequest('**/api/pictures');
    await page.getByTestId(input).setInputFiles({ name: 'white.png', mimeType: 'image/png', buffer });
    await sent;
    await page.getByTestId('main-button').click();
    expect(server.requests).toHaveLength(0);
    release();
    await page.unrouteAll({ behavior: 'wait' });
    await expectPhase(page, 'done');
  };
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByRole('combobox', { name: 'Control' }).selectOption('canny');
  await bring('map-input');
  expect(server.requests.pop()?.control).toHaveProperty('map');
  await page.getByRole('combobox', { name: 'Control' }).selectOption('none');
  await page.getByRole('button', { name: 'Discard', exact: true }).click();
  await bring('mask-input');
  expect(server.requests.pop()).toHaveProperty('mask');
});

test('a click with Shift draws a straight line from where the last stroke ended', async ({ page, server: _ }) => {
  await stroke(page, [0.45, 0.45], [0.46, 0.45]);
  const dab = await paintedShare(page);
  await page.keyboard.down('Shift');
  await stroke(page, [0.54, 0.45], [0.54, 0.45]);
  await page.keyboard.up('Shift');
  const line = await paintedShare(page);
  await page.keyboard.press('ControlOrMeta+z');
  expect(await paintedShare(page)).toBe(dab);
  await stroke(page, [0.54, 0.45], [0.54, 0.45]);
  const two = await paintedShare(page);
  expect(two).toBeGreaterThan(dab);
  expect(line).toBeGreaterThan(1.1 * two);
});

test('words of another language are answered with the one that the model understands', async ({ page, server: _ }) => {
  const box = page.getByRole('textbox', { name: 'Instruction' });
  await box.fill('rends la voiture rouge');
  await expect(page.getByText('This model understands English.')).toBeVisible();
  await box.fill('make the zeppelin red');
  await expect(page.getByTestId('unknown-words')).toContainText('zeppelin');
  await expect(page.getByText('This model understands English.')).toBeHidden();
});
