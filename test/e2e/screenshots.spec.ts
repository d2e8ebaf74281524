import { mkdirSync } from 'node:fs';
import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { expectPhase, stroke, test, type Studio } from './support/studio.js';

const FOLDER = 'docs/screenshots';
/** A fifth of the PNG's bytes: every renewal stays in the history for good. */
const FORMAT = { quality: 82, smartSubsample: true, effort: 6 } as const;
const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
] as const;

async function scene(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click();
  await expectPhase(page, 'ready');
}

async function edit(page: Page, words: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(words);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

async function starMasked(page: Page): Promise<void> {
  await scene(page, 'Tree and star');
  for (const y of [0.61, 0.68, 0.75, 0.79]) await stroke(page, [0.59, y], [0.7, y]);
}

const STATES: Readonly<Record<string, (studio: Studio) => Promise<void>>> = {
  empty: async ({ page }) => {
    await expect(page.getByTestId('scale-cell')).not.toHaveCount(0);
  },
  mask: async ({ page }) => {
    await starMasked(page);
    await expect(page.getByTestId('main-button')).toHaveText(/Fill.*s/u);
  },
  running: async ({ page }) => {
    await scene(page, 'Red car');
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('spinbutton', { name: 'Candidates' }).fill('8');
    await page.getByRole('textbox', { name: 'Instruction' }).fill('make the car blue');
    await page.getByTestId('main-button').click();
    await expect(page.getByRole('button', { name: 'Stop here' })).toBeVisible();
  },
  done: async ({ page }) => {
    await scene(page, 'Red car');
    await edit(page, 'make the car blue');
  },
  candidates: async ({ page }) => {
    await starMasked(page);
    await page.getByText('More', { exact: true }).click();
    await page.getByRole('spinbutton', { name: 'Candidates' }).fill('4');
    await page.getByRole('spinbutton', { name: 'Temperature' }).fill('0.5');
    await page.getByTestId('main-button').click();
    await expectPhase(page, 'done');
  },
  compare: async ({ page }) => {
    await scene(page, 'Red car');
    await edit(page, 'make it night');
    await page.getByRole('button', { name: 'Split' }).click();
  },
  expand: async ({ page }) => {
    await scene(page, 'House at sunset');
    await page.getByRole('button', { name: 'Expand to 16:9' }).click();
    await expect(page.getByTestId('main-button')).toContainText('Expand');
  },
  control: async ({ page }) => {
    await scene(page, 'Tree and star');
    await page.getByRole('combobox', { name: 'Control', exact: true }).selectOption('canny');
    await edit(page, 'make it sunset');
    await page.getByRole('button', { name: 'Scale 3 of 8' }).click();
  },
  history: async ({ page }) => {
    await scene(page, 'Red car');
    for (const words of ['make the car blue', 'make it night']) {
      await edit(page, words);
      await page.getByRole('button', { name: 'Keep' }).click();
    }
    await expect(page.getByTestId('history-step')).toHaveCount(3);
  },
};

/** The pictures of the README, made by the real engine on scenes that the window draws itself. */
test.describe('screenshots', () => {
  test.skip(!process.env['SCALEBRUSH_SCREENSHOTS'], 'SCALEBRUSH_SCREENSHOTS=1 renews docs/screenshots');
  mkdirSync(FOLDER, { recursive: true });

  for (const colorScheme of ['light', 'dark'] as const) {
    test.describe(colorScheme, () => {
      test.use({ colorScheme });
      for (const viewport of SIZES) {
        for (const [name, reach] of Object.entries(STATES)) {
          test(`${name}, ${viewport.width} wide`, async ({ studio }) => {
            await studio.page.setViewportSize(viewport);
            await reach(studio);
            const picture = sharp(await studio.page.screenshot());
            await picture.webp(FORMAT).toFile(`${FOLDER}/${name}-${colorScheme}-${viewport.width}.webp`);
          });
        }
      }
    });
  }
});
