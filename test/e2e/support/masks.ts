import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../../support/pictures.js';
import { test as base } from './fake-window.js';
import { expectPhase } from './studio.js';

export const SIZE = { width: 320, height: 240 } as const;

/** With a scene open: masks need no engine. */
export const test = base.extend({
  page: async ({ page }, use) => {
    const buffer = Buffer.from(await scenePng(SIZE.width, SIZE.height));
    await page.getByTestId('file-input').setInputFiles({ name: 'scene.png', mimeType: 'image/png', buffer });
    await expectPhase(page, 'ready');
    await use(page);
  },
});

/** One sample per pixel, from the file that the menu saves. */
export async function savedMask(page: Page): Promise<Buffer> {
  await page.getByRole('button', { name: 'Mask…' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the mask' }).click();
  const file = await (await download).path();
  return sharp(await readFile(file))
    .extractChannel(0)
    .raw()
    .toBuffer();
}

/** Share of the picture that is painted. */
export async function paintedShare(page: Page): Promise<number> {
  const samples = await savedMask(page);
  return samples.filter((value) => value > 0).length / samples.length;
}

/** Clicks on a place of the picture, given as shares of the canvas. */
export async function clickAt(page: Page, x: number, y: number): Promise<void> {
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.click(box.x + box.width * x, box.y + box.height * y);
}

/** Where a pixel of the picture lies on the screen while it is shown 1:1. */
export async function placesAtActualSize(page: Page): Promise<(x: number, y: number) => readonly [number, number]> {
  await page.getByRole('button', { name: '1:1', exact: true }).click();
  const box = (await page.getByTestId('canvas').boundingBox())!;
  const left = box.x + Math.round((box.width - SIZE.width) / 2);
  const top = box.y + Math.round((box.height - SIZE.height) / 2);
  return (x, y) => [left + x, top + y];
}
