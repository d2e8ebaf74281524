import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { de } from '#ui/messages/de.js';
import { en } from '#ui/messages/en.js';
import { scenePng } from '../support/pictures.js';
import { spills } from './support/looks.js';
import { expectPhase, stroke, test } from './support/studio.js';

const PICTURES = 'docs/guide/pictures';
const LANGUAGES = [
  { tag: 'en', locale: 'en-GB', words: en },
  { tag: 'de', locale: 'de-CH', words: de },
] as const;
type Words = typeof en;

async function openScene(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name }).click();
  await expectPhase(page, 'ready');
}

async function say(page: Page, words: string): Promise<void> {
  await page.locator('#instruction').fill(words);
  await page.locator('#instruction').press('Enter');
  await expectPhase(page, 'done', 120_000);
}

async function overTree(page: Page): Promise<void> {
  for (const y of [0.61, 0.68, 0.75, 0.79]) await stroke(page, [0.59, y], [0.7, y]);
}

/** What each job of the guide looks like. */
const JOBS: Readonly<Record<string, (page: Page, words: Words) => Promise<void>>> = {
  async remove(page, words) {
    await openScene(page, words.scenes.tree);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    const { x, y, width, height } = (await page.getByTestId('canvas').boundingBox())!;
    await page.mouse.move(x + width * 0.6, y + height * 0.6);
    await page.mouse.down();
    for (const [across, down] of [[0.68, 0.62], [0.6, 0.68], [0.69, 0.72], [0.62, 0.78]] as const) await page.mouse.move(x + width * across, y + height * down, { steps: 8 }); // prettier-ignore
  },
  async words(page, words) {
    await openScene(page, words.scenes.house);
    await say(page, 'make it night');
  },
  async part(page, words) {
    await openScene(page, words.scenes.tree);
    await overTree(page);
    await expect(page.getByTestId('mask-bar')).toBeVisible();
  },
  async variants(page, words) {
    await openScene(page, words.scenes.tree);
    await page.getByText(words.more, { exact: true }).click();
    await page.getByRole('spinbutton', { name: words.count }).fill('4');
    await overTree(page);
    await page.getByTestId('main-button').click();
    await expectPhase(page, 'done', 120_000);
  },
  async expand(page, words) {
    await openScene(page, words.scenes.house);
    await page.getByRole('button', { name: words.growTo('16:9') }).click();
    await expect(page.getByTestId('main-button')).toContainText(words.verbs.expand);
  },
  async crop(page, words) {
    await openScene(page, words.scenes.car);
    await page.keyboard.press('Escape');
    await page.keyboard.press('x');
    await page.getByRole('combobox', { name: words.crop.shape }).selectOption('3:2');
  },
  async compare(page, words) {
    await openScene(page, words.scenes.car);
    await say(page, 'make it night');
    await page.getByRole('button', { name: words.split }).click();
  },
  async history(page, words) {
    await openScene(page, words.scenes.car);
    for (const wish of ['make the car blue', 'make it night']) {
      await say(page, wish);
      await page.keyboard.press('k');
      await expectPhase(page, 'ready');
    }
  },
  async save(page, words) {
    await openScene(page, words.scenes.house);
    await page.keyboard.press('Control+s');
    await expect(page.getByRole('dialog', { name: words.saveTitle })).toBeVisible();
  },
  async batch(page, words) {
    await page.locator('#instruction').fill('make it warmer');
    const buffer = Buffer.from(await scenePng(160, 120));
    const files = ['beach', 'garden', 'lake', 'street'].map((name) => ({ name: `${name}.png`, mimeType: 'image/png', buffer }));
    await page.getByTestId('file-input').setInputFiles(files);
    await expect(page.getByRole('button', { name: words.many.open })).toBeVisible();
  },
};

/** The pictures of the guide, made by the real engine on scenes that the window draws itself. */
test.describe('pictures of the guide', () => {
  test.skip(!process.env['SCALEBRUSH_SCREENSHOTS'], 'SCALEBRUSH_SCREENSHOTS=1 renews docs/guide/pictures');
  test.describe.configure({ timeout: 240_000 });
  mkdirSync(PICTURES, { recursive: true });
  for (const { tag, locale, words } of LANGUAGES) {
    test.describe(tag, () => {
      test.use({ locale, colorScheme: 'light', viewport: { width: 1280, height: 800 } });
      for (const [job, reach] of Object.entries(JOBS)) {
        test(job, async ({ studio: { page } }) => {
          await reach(page, words);
          const whole = await page.screenshot();
          await sharp(whole).resize({ width: 960 }).webp({ quality: 78, smartSubsample: true }).toFile(path.join(PICTURES, `${job}-${tag}.webp`)); // prettier-ignore
        });
      }
    });
  }
});

for (const { tag, locale, words } of LANGUAGES) {
  test.describe(`the guide in ${tag}`, () => {
    test.use({ locale, viewport: { width: 1024, height: 700 } });
    // A busy machine looks for a while.
    test.slow();

    test('opens from ?, has a picture for each of ten jobs, and leads to both references', async ({ studio: { page } }) => {
      await page.locator('body').press('?');
      await page.getByRole('button', { name: words.guide.title, exact: true }).click();
      const guide = page.getByTestId('guide');
      await expect(guide.getByRole('heading', { level: 2 })).toHaveCount(10);
      const pictures = guide.getByRole('img');
      await expect(pictures).toHaveCount(10);
      for (const picture of await pictures.all()) {
        await picture.scrollIntoViewIfNeeded();
        await expect.poll(() => picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBe(960);
      }
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id }) => id)).toEqual([]);
      expect(await spills(page)).toEqual([]);
      await guide.getByRole('link').first().click();
      await expect(guide).toContainText('scalebrush edit IN');
      await page.getByRole('button', { name: words.guide.pages.formats }).press('Enter');
      await expect(guide.getByRole('table').first()).toContainText('BigTIFF');
      await expect(page.getByRole('dialog', { name: words.guide.title })).toBeVisible();
      await page.keyboard.press('Escape');
      await expect(guide).toBeHidden();
    });
  });
}
