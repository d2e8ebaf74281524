import { expect, type Page } from '@playwright/test';
import sharp, { type Sharp } from 'sharp';
import { scenePng } from '../support/pictures.js';
import { spills, violations } from './support/looks.js';
import { expectPhase, openBytes, saved, stroke, test } from './support/studio.js';

test.slow();

const WIDTH = 320;
const HEIGHT = 240;
const samplesOf = (picture: Sharp) => picture.removeAlpha().raw().toBuffer();
const group = (page: Page) => page.getByRole('group', { name: 'Crop, straighten, turn' });
const apply = (page: Page) => group(page).getByRole('button', { name: 'Crop', exact: true });
const size = (page: Page) => page.getByTestId('crop-size');

async function maskOf(page: Page): Promise<Buffer> {
  await page.getByRole('button', { name: 'Mask…' }).click();
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the mask' }).click()]);
  return sharp(await download.path())
    .extractChannel(0)
    .raw()
    .toBuffer();
}

test('a photograph is turned and cut as a step: EXIF, mask and samples go along, and it is done anew or left out', async ({
  studio: { page },
}) => {
  const source = await sharp(await scenePng(WIDTH, HEIGHT))
    .withExif({ IFD0: { Artist: 'Somebody' } })
    .withExifMerge({ IFD0: { Orientation: '1' } })
    .jpeg({ quality: 95 })
    .toBuffer();
  await openBytes(page, 'photo.jpg', source);
  await expectPhase(page, 'ready');
  await stroke(page, [0.45, 0.45], [0.55, 0.45]);
  const mask = await maskOf(page);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('x');
  await group(page).getByRole('button', { name: 'Turn by a quarter' }).click();
  await expect(size(page)).toHaveText(`${HEIGHT} × ${WIDTH}`);
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  await apply(page).click();
  await expect(page.getByTestId('history-step')).toHaveCount(2, { timeout: 30_000 });
  const turned = await saved(page, 'png');
  const { width, height, orientation, exif } = await sharp(turned).metadata();
  expect([width, height, orientation ?? 1]).toEqual([HEIGHT, WIDTH, 1]);
  expect(exif?.toString('latin1')).toContain('Somebody');
  expect(await samplesOf(sharp(turned))).toEqual(await samplesOf(sharp(source).rotate(90)));
  const asMask = sharp(mask, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } });
  expect(await maskOf(page)).toEqual(await asMask.rotate(90).extractChannel(0).raw().toBuffer());
  // Anew: from the photograph, not from what was left of it.
  await page.getByRole('button', { name: 'Change…' }).click();
  await group(page).getByRole('combobox', { name: 'Aspect' }).selectOption('1:1');
  await expect(size(page)).toHaveText(`${HEIGHT} × ${HEIGHT}`);
  await apply(page).click();
  await expect(page.locator('header .size')).toHaveText(`${HEIGHT} × ${HEIGHT}`);
  await expect(page.getByTestId('history-step')).toHaveCount(2, { timeout: 30_000 });
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+z');
  await expect(page.locator('header .size')).toHaveText(`${HEIGHT} × ${WIDTH}`);
  await page.getByRole('button', { name: 'Leave out' }).click();
  await expect(page.locator('header .size')).toHaveText(`${WIDTH} × ${HEIGHT}`);
});

test('straightening leaves no empty corner, an edit goes on from it, and the recipe and the project tell of it', async ({
  studio: { page, openScene },
}) => {
  await openScene(WIDTH, HEIGHT);
  await page.getByRole('button', { name: 'Crop, straighten, turn' }).click();
  await group(page).getByRole('slider', { name: 'Straighten' }).fill('6');
  await page.getByTestId('crop').press('Enter');
  await expect(page.getByTestId('history-step')).toHaveCount(2, { timeout: 30_000 });
  const straight = await saved(page, 'png');
  expect((await sharp(straight).metadata()).width).toBeLessThan(WIDTH);
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  const file = await saved(page, 'png');
  expect(file.toString('utf8')).toContain('"framings":[{"mirrored":false,"turns":0,"straighten":6');
  const project = await saved(page, 'project');
  await openBytes(page, 'again.scalebrush', project);
  await expect(page.getByTestId('tab')).toHaveCount(2);
  await expect(page.getByTestId('history-step')).toHaveCount(3);
  await page.getByTestId('history-step').nth(1).click();
  await page.getByRole('button', { name: 'Change…' }).click();
  await expect(group(page).getByRole('slider', { name: 'Straighten' })).toHaveValue('6');
  // What builds on it is marked when it changes.
  await group(page).getByRole('button', { name: 'Reset' }).click();
  await apply(page).click();
  await expect(page.getByRole('button', { name: 'Run all marked steps again' })).toBeVisible();
  await page.getByRole('button', { name: 'Run all marked steps again' }).click();
  await expect(page.getByRole('button', { name: 'Run all marked steps again' })).toBeHidden({ timeout: 60_000 });
  await page.getByTestId('history-step').nth(2).click();
  await expect(page.locator('header .size')).toHaveText(`${WIDTH} × ${HEIGHT}`);
});

test('a photograph is mirrored, every sample in its place, and undo turns it back', async ({ studio: { page, openScene } }) => {
  await openScene(WIDTH, HEIGHT);
  const before = await saved(page, 'png');
  await page.getByRole('button', { name: 'Crop, straighten, turn' }).click();
  await group(page).getByRole('button', { name: 'Flip left and right' }).click();
  await apply(page).click();
  await expect(page.getByTestId('history-step')).toHaveCount(2, { timeout: 30_000 });
  expect(await samplesOf(sharp(await saved(page, 'png')))).toEqual(await samplesOf(sharp(before).flop()));
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+z');
  expect(await samplesOf(sharp(await saved(page, 'png')))).toEqual(await samplesOf(sharp(before)));
});

test('what is kept is pulled at its corners, and turned from outside', async ({ studio: { page, openScene } }) => {
  await openScene(WIDTH, HEIGHT);
  await page.getByRole('button', { name: 'Crop, straighten, turn' }).click();
  const box = (await page.getByTestId('crop').boundingBox())!;
  const scale = 2;
  const [left, top] = [box.x + (box.width - WIDTH * scale) / 2, box.y + 36 + (box.height - 36 - 84 - HEIGHT * scale) / 2];
  await page.mouse.move(left, top);
  await page.mouse.down();
  await page.mouse.move(left + 80, top + 40, { steps: 4 });
  await page.mouse.up();
  await expect(size(page)).toHaveText('280 × 220');
  await page.mouse.move(left + 20, top + HEIGHT * scale + 20);
  await page.mouse.down();
  await page.mouse.move(left + 60, top + HEIGHT * scale + 40, { steps: 4 });
  await page.mouse.up();
  await expect(group(page).getByRole('slider')).not.toHaveValue('0');
  await page.getByTestId('crop').focus();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('crop')).toBeHidden();
  await expect(page.locator('header .size')).toHaveText(`${WIDTH} × ${HEIGHT}`);
});

for (const viewport of [
  { width: 1280, height: 800 },
  { width: 1024, height: 700 },
]) {
  test.describe(`${viewport.width} wide`, () => {
    test.use({ viewport });

    test('the bar fits, in German too', async ({ studio: { page, openScene } }) => {
      await openScene();
      await page.keyboard.press('Control+,');
      await page.getByRole('combobox', { name: /Language/u }).selectOption('de');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Zuschneiden, begradigen, drehen' }).click();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
