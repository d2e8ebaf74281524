import { readFile } from 'node:fs/promises';
import { expect, type Page } from '@playwright/test';
import { initializeCanvas, readPsd } from 'ag-psd';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { differingPixels, rawPicture } from './support/honesty.js';
import { canvasShot, edit, expectKept, expectPhase, openBytes, saved, savedFile, stroke, test, type Studio } from './support/studio.js';

initializeCanvas(
  () => {
    throw new Error('Expected no canvas to be drawn on.');
  },
  (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as ImageData,
);

/** Longer than a hand rests between two gestures. */
const REST_MS = 1500;

async function keep(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Keep' }).click();
  await expectPhase(page, 'ready');
}

/** Fills the painted spot, and keeps it. */
async function fill(page: Page, x: number): Promise<void> {
  await stroke(page, [x, 0.5], [x, 0.55]);
  await edit(page, '');
  await keep(page);
}

const current = (page: Page) => page.locator('[data-testid=history-step][aria-current=step]');
const deed = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('the place can be left out of a saved picture, and nothing else is', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByRole('button', { name: 'Save…' }).click();
  await expect(page.getByRole('checkbox', { name: 'Keep where it was taken' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const phone = await sharp(await scenePng(160, 120))
    .withExif({ IFD0: { Make: 'Ours' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 12/1' } })
    .jpeg()
    .toBuffer();
  await openBytes(page, 'phone.jpg', phone);
  await expect(page.getByRole('banner').getByText('phone.jpg')).toBeVisible();
  await edit(page, 'make it warmer');
  const strip = (dialog: Page) => dialog.getByRole('checkbox', { name: 'Keep where it was taken' }).uncheck();
  await page.getByRole('button', { name: 'Save…' }).click();
  await expect(page.getByRole('combobox', { name: 'Format' })).toHaveValue('jpeg');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const [kept, stripped] = [await saved(page, 'jpeg'), await saved(page, 'jpeg', strip)];
  const exif = await Promise.all([kept, stripped].map(async (bytes) => (await sharp(bytes).metadata()).exif!));
  expect(exif.map((block) => block.includes('Ours'))).toEqual([true, true]);
  const places = exif.map((block) => block.includes(Buffer.from([0x88, 0x25])) || block.includes(Buffer.from([0x25, 0x88])));
  expect(places).toEqual([true, false]);
});

test('a step is left out, run again, changed and moved; undo and a reload bring all of it back', async ({
  studio: { page, openScene },
}) => {
  // Wide enough that neither fill sees the other.
  await openScene(1280, 480);
  await fill(page, 0.3);
  await fill(page, 0.7);
  const steps = page.getByTestId('history-step');
  const both = await canvasShot(page);
  await steps.nth(1).click();
  await deed(page, 'Leave out').click();
  await expect(deed(page, 'Take in')).toBeVisible();
  await steps.nth(2).click();
  const second = await canvasShot(page);
  expect(second).not.toBe(both);
  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'ready');
  await page.mouse.move(0, 0);
  expect(await canvasShot(page)).toBe(second);
  await steps.nth(1).click();
  await page.keyboard.press('ControlOrMeta+z');
  await expect(deed(page, 'Leave out')).toBeVisible();
  await steps.nth(2).click();
  expect(await canvasShot(page)).toBe(both);

  await deed(page, 'Move earlier').click();
  await expect(current(page)).toHaveAttribute('aria-label', /Step 1 of 2/u);
  await steps.nth(2).click();
  expect(await canvasShot(page)).toBe(both);

  // With another wish for the first step, the second follows.
  await steps.nth(1).click();
  await deed(page, 'Change…').click();
  await expect(page.getByText('takes the place of step 1')).toBeVisible();
  await edit(page, 'make it night');
  await keep(page);
  await expect(steps).toHaveCount(3);
  await expect(current(page)).toHaveAttribute('aria-label', /Step 1 of 2/u);
  await expect(page.getByRole('strong').getByText('make it night', { exact: true })).toBeVisible();
  await steps.nth(2).click();
  expect(await canvasShot(page)).not.toBe(both);

  const before = await canvasShot(page);
  await deed(page, 'Run again').click();
  await expectPhase(page, 'running').catch(() => undefined);
  await expectPhase(page, 'ready');
  await expect(deed(page, 'Run again')).toBeEnabled();
  expect(await canvasShot(page)).toBe(before);
});

test('a step is taken past several others at once, by dragging and by keys', async ({ studio: { page, openScene } }) => {
  test.slow();
  await openScene();
  for (const x of [0.3, 0.5, 0.7]) await fill(page, x);
  const steps = page.getByTestId('history-step');
  const whole = await canvasShot(page);
  const looks = async () => {
    const shots: string[] = [];
    for (let step = 1; step <= 3; step++) {
      await steps.nth(step).click();
      await page.mouse.move(0, 0);
      shots.push(await canvasShot(page));
    }
    return shots;
  };
  const before = await looks();
  await steps.nth(3).dragTo(steps.nth(1));
  await expect(current(page)).toHaveAttribute('aria-label', /Step 1 of 3/u);
  const dragged = await looks();
  expect(new Set([...before, ...dragged]).size).toBe(5);
  expect(dragged[2]).toBe(whole);
  await steps.nth(1).click();
  await steps.nth(1).press('Shift+End');
  await expect(current(page)).toHaveAttribute('aria-label', /Step 3 of 3/u);
  await expect(steps.nth(3)).toBeFocused();
  expect(await looks()).toEqual(before);
});

test('a step that another builds on stays', async ({ studio: { page, openScene } }) => {
  await openScene();
  // What is drawn depends on the seed; what a wish does to colours alone does not.
  await fill(page, 0.3);
  for (const words of ['make it night', 'make it cooler']) {
    await edit(page, words);
    await keep(page);
  }
  await page.getByTestId('history-step').nth(1).click();
  await deed(page, 'Leave out').click();
  await expect(page.getByText('A later step builds on this one')).toBeVisible();
  await deed(page, 'Another seed').click();
  await expect(page.getByText('Steps that build on this one are marked')).toBeVisible();
  await page.getByTestId('history-step').nth(2).click();
  await expect(page.getByText(/to be run again/u)).toBeVisible();
  // One press makes all of them anew: the third is marked when the second has changed below it.
  const all = deed(page, 'Run all marked steps again');
  await all.click();
  await expect(current(page)).toHaveAttribute('aria-label', /Step 3 of 3/u, { timeout: 20_000 });
  await expect(deed(page, 'Run again')).toBeEnabled();
  await expect(all).toBeHidden();
  await expect(page.getByText(/to be run again/u)).toBeHidden();
});

test('a document is saved for Photoshop with every step as a layer', async ({ studio: { page, openScene } }) => {
  await openScene();
  await fill(page, 0.3);
  await edit(page, 'make it warmer');
  await keep(page);
  const file = await savedFile(page, 'layers');
  expect(file.suggestedFilename()).toBe('scene.psd');
  const psd = readPsd(await readFile(await file.path()), { useImageData: true });
  expect(psd.children?.map(({ name }) => name)).toEqual(['scene.png', 'fill', 'make it warmer']);
  expect(psd.children?.[1]?.mask?.disabled).toBe(true);
  const shown = await rawPicture(await saved(page, 'png'));
  const flat = { ...shown, channels: 4, samples: new Uint8Array(psd.imageData!.data) };
  expect(differingPixels(shown, flat, () => false)).toBe(0);
});

async function maskMenu({ page }: Studio): Promise<void> {
  await page.getByRole('button', { name: 'Mask…' }).click();
}

test('masks have names, and undo and a reload keep them', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await stroke(page, [0.4, 0.5], [0.45, 0.5]);
  await maskMenu(studio);
  const name = page.getByRole('textbox', { name: 'Name of the mask' });
  await name.fill('sky');
  await name.press('Enter');
  await page.getByRole('button', { name: 'New mask' }).click();
  await expect(page.getByRole('radio', { name: 'Mask 2' })).toBeChecked();
  await expect(page.getByRole('button', { name: 'Grow' })).toBeDisabled();
  await page.getByRole('radio', { name: 'sky' }).check();
  await expect(page.getByRole('button', { name: 'Grow' })).toBeEnabled();
  await page.getByRole('button', { name: 'Duplicate' }).click();
  await expect(page.getByRole('radio', { name: 'sky 2' })).toBeChecked();
  await page.getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByRole('radio', { name: 'sky 2' })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Undo' }).click();
  await maskMenu(studio);
  await expect(page.getByRole('radio', { name: 'sky 2' })).toBeChecked();
  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'ready');
  await maskMenu(studio);
  await expect(page.getByRole('radio')).toHaveCount(7);
  await expect(page.getByRole('radio', { name: 'sky 2' })).toBeChecked();
});

for (const way of ['a key', 'a click'] as const) {
  test(`the picture goes to other programs by the clipboard, with ${way}`, async ({ studio: { page, openScene } }) => {
    await openScene();
    await edit(page, 'make it night');
    await page.evaluate(() => {
      const { clipboard } = navigator;
      const write = clipboard.write.bind(clipboard);
      clipboard.write = (items) => Object.assign(window, { written: write(items) }).written;
    });
    if (way === 'a click') await page.getByRole('button', { name: /click to copy/u }).click();
    else {
      await page.getByTestId('canvas').focus();
      await page.keyboard.press('ControlOrMeta+c');
    }
    await page.waitForFunction(() => 'written' in window);
    await page.evaluate(() => (window as unknown as { written: Promise<void> }).written);
    // The window itself may not read what it wrote.
    await page.context().grantPermissions(['clipboard-read'], { origin: await page.evaluate(() => location.origin) });
    const size = page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      const bitmap = await createImageBitmap(await item!.getType('image/png'));
      return [bitmap.width, bitmap.height];
    });
    expect(await size).toEqual([320, 240]);
  });
}

test('the picture goes to other programs by dragging', async ({ studio }) => {
  await studio.openScene();
  await edit(studio.page, 'make it night');
  const { name, bytes } = await studio.dragged(studio.page.getByRole('button', { name: /Drag the picture out/u }));
  expect(name).toBe('scene-edit-1.png');
  const { width, height } = await rawPicture(bytes);
  expect([width, height]).toEqual([320, 240]);
});

test('changes of settings are undone with the rest, typing by its pauses and a slider by its pull, also after a reload', async ({
  studio: { page, openScene },
}) => {
  await openScene();
  const words = page.getByRole('textbox', { name: 'Instruction' });
  const control = page.getByRole('combobox', { name: 'Control' });
  const strength = page.getByRole('slider', { name: 'Strength' });
  const [undo, redo] = ['Undo', 'Redo'].map((name) => page.getByRole('button', { name, exact: true }));
  // The window's clock goes on by itself, and is put forward where a hand would rest: no machine is too slow or too fast for it.
  await page.clock.install();
  await words.pressSequentially('make it');
  await page.clock.runFor(REST_MS);
  await words.pressSequentially(' night');
  await control.selectOption('canny');
  // The map comes to stand above it.
  await expect(page.getByRole('img', { name: 'The map as the model sees it' })).toBeVisible();
  await strength.scrollIntoViewIfNeeded();
  const box = (await strength.boundingBox())!;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * 0.9, y);
  await page.mouse.down();
  for (const share of [0.8, 0.6, 0.3]) {
    await page.mouse.move(box.x + box.width * share, y, { steps: 4 });
    await page.clock.runFor(REST_MS);
  }
  await page.mouse.up();
  const pulled = await strength.inputValue();
  expect(Number(pulled)).toBeLessThan(0.5);
  await stroke(page, [0.4, 0.5], [0.5, 0.5]);

  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'ready');
  await expect(strength).toHaveValue(pulled);
  await undo!.click();
  await undo!.click();
  await expect(strength).toHaveValue('1');
  await undo!.click();
  await expect(control).toHaveValue('none');
  await undo!.click();
  await expect(words).toHaveValue('make it');
  await undo!.click();
  await expect(words).toHaveValue('');
  await expect(undo!).toBeDisabled();
  for (let step = 0; step < 4; step++) await redo!.click();
  await expect(words).toHaveValue('make it night');
  await expect(strength).toHaveValue(pulled);
  // By keys, where nothing is typed.
  await strength.focus();
  await page.keyboard.press('ControlOrMeta+z');
  await expect(strength).toHaveValue('1');
  await page.keyboard.press('ControlOrMeta+Shift+z');
  await expect(strength).toHaveValue(pulled);
  await redo!.click();
  await expect(redo!).toBeDisabled();
});
