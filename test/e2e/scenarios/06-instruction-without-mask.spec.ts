import { expect } from '@playwright/test';
import sharp from 'sharp';
import { rgbOf } from '../../support/pictures.js';
import { candidatesOf, fetched, canvasShot, expectPhase, saved, test } from '../support/studio.js';

interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly samples: Uint8Array;
}

const lightAt = ({ samples, width }: Rgb, x: number, y: number) => {
  const at = (y * width + x) * 3;
  return 0.299 * samples[at]! + 0.587 * samples[at + 1]! + 0.114 * samples[at + 2]!;
};

/** How far one picture lies beside the other, in pixels: least squares over the gradients (Lucas and Kanade, 1981). */
function shiftOf(a: Rgb, b: Rgb): number {
  let [xx, xy, yy, xt, yt] = [0, 0, 0, 0, 0];
  for (let y = 1; y < a.height - 1; y++) {
    for (let x = 1; x < a.width - 1; x++) {
      const gx = (lightAt(a, x + 1, y) - lightAt(a, x - 1, y)) / 2;
      const gy = (lightAt(a, x, y + 1) - lightAt(a, x, y - 1)) / 2;
      const t = lightAt(b, x, y) - lightAt(a, x, y);
      [xx, xy, yy, xt, yt] = [xx + gx * gx, xy + gx * gy, yy + gy * gy, xt + gx * t, yt + gy * t];
    }
  }
  const determinant = xx * yy - xy * xy;
  return Math.hypot((yy * xt - xy * yt) / determinant, (xx * yt - xy * xt) / determinant);
}

test('6 instruction without mask: size and place stay, the changed area covers the object, the rest is byte-equal', async ({
  studio: { page },
}) => {
  await page.getByRole('button', { name: 'Red car' }).click();
  await expectPhase(page, 'ready');
  const source = await rgbOf(await saved(page, 'png'));
  await expect(page.getByRole('checkbox', { name: 'Paste only what changed' })).toBeChecked();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make the car blue');
  const [candidate] = await candidatesOf(page, () => page.getByTestId('main-button').click());

  const result = await rgbOf(await saved(page, 'png'));
  expect([result.width, result.height]).toEqual([source.width, source.height]);
  expect(shiftOf(source, result)).toBeLessThanOrEqual(0.25);

  const mask = await fetched(page, `/api/pictures/${String(candidate?.changedMask)}`);
  const changed = await sharp(mask).extractChannel(0).raw().toBuffer();
  let [object, covered, differingOutside] = [0, 0, 0];
  for (let i = 0; i < changed.length; i++) {
    const [r, g, b] = source.samples.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
    const isCar = r > 150 && g < 90 && b < 90;
    object += isCar ? 1 : 0;
    covered += isCar && changed[i]! > 0 ? 1 : 0;
    if (changed[i] === 0 && [0, 1, 2].some((c) => source.samples[i * 3 + c] !== result.samples[i * 3 + c])) differingOutside += 1;
  }
  expect(object).toBeGreaterThan(2000);
  expect(covered / object).toBeGreaterThan(0.9);
  expect(differingOutside).toBe(0);

  const plain = await canvasShot(page);
  await page.getByRole('button', { name: 'Changed area' }).click();
  await expect.poll(async () => (await canvasShot(page)) === plain).toBe(false);
  await page.getByRole('button', { name: 'Changed area' }).click();
  await expect.poll(async () => (await canvasShot(page)) === plain).toBe(true);

  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('checkbox', { name: 'Paste only what changed' }).uncheck();
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect((await rgbOf(await saved(page, 'png'))).samples).not.toEqual(result.samples);
});
