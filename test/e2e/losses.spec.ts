import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { test } from './support/fake-window.js';
import { expectPhase, openBytes } from './support/studio.js';

const { width, height } = { width: 120, height: 90 };

/** Half transparent, of 16 bits. */
function deep(): Promise<Buffer> {
  const samples = new Uint16Array(width * height * 4).fill(30_000);
  return sharp(samples, { raw: { width, height, channels: 4 } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();
}

/** With the keyword "heron" as IPTC. */
async function captioned(): Promise<Buffer> {
  const jpeg = await sharp({ create: { width, height, channels: 3, background: '#336699' } })
    .jpeg()
    .toBuffer();
  const datasets = Buffer.from('\x1c\x02\x19\0\x05heron\0', 'latin1');
  const body = Buffer.concat([Buffer.from('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0a', 'latin1'), datasets]);
  const head = Buffer.from([0xff, 0xed, 0, body.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}

async function losses(page: Page, label: string): Promise<readonly string[]> {
  return page.getByRole('list', { name: label }).getByRole('listitem').allTextContents();
}

async function show(page: Page, bytes: Buffer): Promise<void> {
  await openBytes(page, 'picture.png', bytes);
  await expectPhase(page, 'ready');
  await page.keyboard.press('Control+s');
}

const CASES = [
  { locale: 'en-US', label: 'What this kind of file does not keep' },
  { locale: 'de-DE', label: 'Was diese Art von Datei nicht behält' },
] as const;

for (const { locale, label } of CASES) {
  test.describe(locale, () => {
    test.use({ locale });

    test('what a format does not keep is said before saving', async ({ page, server: _ }) => {
      await show(page, await deep());
      const choice = page.getByRole('combobox', { name: 'Format', exact: true });
      await choice.selectOption('jpeg');
      await expect.poll(() => losses(page, label)).toHaveLength(2);
      expect((await losses(page, label)).join()).toMatch(locale === 'en-US' ? /white is put below.*8 bits/u : /kommt Weiß.*8 Bit/u);
      for (const kept of ['png', 'tiff', 'project']) {
        await choice.selectOption(kept);
        expect(await losses(page, label)).toEqual([]);
      }
    });

    test('parts of the metadata are named', async ({ page, server: _ }) => {
      await show(page, await captioned());
      await page.getByRole('combobox', { name: 'Format', exact: true }).selectOption('webp');
      await expect.poll(async () => (await losses(page, label)).join()).toContain('(IPTC)');
      await page.getByRole('combobox', { name: 'Format', exact: true }).selectOption('jpeg');
      expect(await losses(page, label)).toEqual([]);
    });

    test('sides that a format cannot hold are said, and cannot be saved', async ({ page, server: _ }) => {
      await show(
        page,
        await sharp({ create: { width: 16_400, height: 8, channels: 3, background: '#336699' } })
          .png()
          .toBuffer(),
      );
      await page.getByRole('combobox', { name: 'Format', exact: true }).selectOption('webp');
      await expect.poll(async () => (await losses(page, label)).join()).toContain('16383');
      const save = page.locator('dialog[open] button[type=submit]');
      await expect(save).toBeDisabled();
      await page.getByRole('combobox', { name: 'Format', exact: true }).selectOption('tiff');
      await expect(save).toBeEnabled();
    });
  });
}
