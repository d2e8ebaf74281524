import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { LOOKS, spills, violations } from './support/looks.js';
import { canvasShot, edit, expectPhase, saved, stroke, test } from './support/studio.js';

test.slow();

const samplesOf = (file: Buffer) => sharp(file).removeAlpha().raw().toBuffer();
const pull = (page: Page, percent: number) => page.getByRole('slider', { name: 'Opacity' }).fill(String(percent));

/** The first step of a document, kept. */
async function keepStep(page: Page, instruction: string): Promise<void> {
  await edit(page, instruction);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expectPhase(page, 'ready');
}

test('the opacity of a step is seen at once, saved, undone, and comes back with the recipe', async ({ studio: { page, openScene } }) => {
  await openScene();
  const before = await samplesOf(await saved(page, 'png'));
  await keepStep(page, 'make it night');
  const after = await samplesOf(await saved(page, 'png'));
  await page.mouse.move(0, 0);
  const shown = await canvasShot(page);
  await pull(page, 40);
  await expect.poll(() => canvasShot(page)).not.toBe(shown);
  await expect(page.getByRole('slider', { name: 'Opacity' })).toHaveAttribute('aria-valuetext', '40 %');
  await expect(page.locator('.studio')).toHaveAttribute('aria-busy', 'false');
  const file = await saved(page, 'png');
  const faded = await samplesOf(file);
  expect(faded.every((value, i) => value === Math.round(before[i]! + (after[i]! - before[i]!) * 0.4))).toBe(true);
  expect(file.toString('utf8')).toContain('"opacity":0.4');
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+z');
  expect(await samplesOf(await saved(page, 'png'))).toEqual(after);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+Shift+z');
  await expect(page.getByRole('slider', { name: 'Opacity' })).toHaveValue('40');
  await pull(page, 100);
  await expect.poll(async () => (await samplesOf(await saved(page, 'png'))).equals(after)).toBe(true);
});

test('variants are blended by painting, and kept as one step', async ({ studio: { page, openScene } }) => {
  await openScene();
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const first = await samplesOf(await saved(page, 'png'));
  await page.getByTestId('main-button').click();
  await expect(page.getByTestId('candidate')).toHaveCount(2, { timeout: 30_000 });
  const second = await samplesOf(await saved(page, 'png'));
  await page.getByTestId('candidate').first().click();
  await page.getByRole('button', { name: 'Blend', exact: true }).click();
  await expect(page.getByText('Paint where variant 2 is to show')).toBeVisible();
  await page.mouse.move(0, 0);
  const base = await canvasShot(page);
  // The left half takes the second variant.
  await page.keyboard.press('b');
  for (let y = 0.44; y < 0.57; y += 0.03) await stroke(page, [0.38, y], [0.5, y]);
  await page.mouse.move(0, 0);
  const blended = await canvasShot(page);
  expect(blended).not.toBe(base);
  await stroke(page, [0.55, 0.5], [0.62, 0.5]);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+z');
  await page.mouse.move(0, 0);
  expect(await canvasShot(page)).toBe(blended);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  await expectPhase(page, 'ready');
  const kept = await samplesOf(await saved(page, 'png'));
  const differ = (a: Buffer, b: Buffer, from: number, to: number): number => {
    let count = 0;
    for (let i = 0; i < a.length; i += 3) {
      const x = ((i / 3) % 320) / 320;
      if (x >= from && x < to && a.compare(b, i, i + 3, i, i + 3) !== 0) count++;
    }
    return count;
  };
  expect(differ(first, second, 0, 0.49)).toBeGreaterThan(0);
  expect(differ(kept, second, 0, 0.49)).toBe(0);
  expect(differ(kept, first, 0.56, 1)).toBe(0);
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('both fit, in German too', async ({ studio: { page, openScene } }) => {
      await openScene();
      await keepStep(page, 'make it night');
      await stroke(page, [0.4, 0.5], [0.6, 0.5]);
      for (let run = 0; run < 2; run++) {
        await page.getByTestId('main-button').click();
        await expectPhase(page, 'done');
      }
      await page.keyboard.press('Control+,');
      await page.getByRole('combobox', { name: /Language/u }).selectOption('de');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Mischen', exact: true }).click();
      await expect(page.getByRole('slider', { name: 'Deckkraft' })).toBeVisible();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
