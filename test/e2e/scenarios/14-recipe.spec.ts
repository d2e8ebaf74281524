import { readFile, rm, writeFile, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, type Page } from '@playwright/test';
import type { FileRecipe } from '#contract/recipe.js';
import { RECIPE_KEYWORD } from '#engine/image/files/recipe.js';
import { insertChunks, makeChunk, pngChunks, textChunk, textKeyword, textOf } from '#engine/image/files/png-chunks.js';
import { scenePng } from '../../support/pictures.js';
import { scalebrush } from '../support/cli.js';
import { differingPixels, rawPicture } from '../support/honesty.js';
import { edit, expectPhase, openBytes, saved, test } from '../support/studio.js';

const withoutRecipe = (dialog: Page) => dialog.getByRole('checkbox', { name: /Keep the recipe/u }).uncheck();

/** The texts of a PNG that one of this keyword stands in. */
function textsOf(png: Buffer, keyword: string): readonly (string | undefined)[] {
  return [...pngChunks(png)].filter((chunk) => textKeyword(chunk) === keyword).map(textOf);
}

function recipeOf(png: Buffer): FileRecipe {
  return JSON.parse(textsOf(png, RECIPE_KEYWORD)[0]!) as FileRecipe;
}

function withRecipe(png: Buffer, recipe: string): Buffer {
  return Buffer.from(insertChunks(png, [textChunk(RECIPE_KEYWORD, recipe)]));
}

/** Lets a file fall onto the window. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page.evaluate(
    ([file, base64]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], file, { type: 'image/png' }));
      window.dispatchEvent(new DragEvent('drop', { dataTransfer }));
    },
    [name, bytes.toString('base64')] as const,
  );
  await expect(page.locator('header')).toContainText(name);
  await expectPhase(page, 'ready');
}

test('scenario 14: a saved picture that is dropped back restores everything, Chinese and emoji with it', async ({
  studio: { page, openScene },
}) => {
  const words = 'make it night 让它变成夜晚 🌃👩🏽‍🎨';
  await openScene();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('41');
  await page.getByRole('spinbutton', { name: 'Guidance', exact: true }).fill('2.5');
  await page.getByRole('checkbox', { name: 'by scale' }).check();
  await page.getByRole('slider', { name: 'Temperature at scale 1', exact: true }).fill('0.8');
  await page.getByRole('radio', { name: /Fast/u }).check({ force: true });
  await page.getByRole('combobox', { name: 'Control' }).selectOption('canny');
  await edit(page, words);
  const told = await saved(page, 'png');
  await page.getByRole('button', { name: 'Keep' }).click();
  await page.getByRole('button', { name: 'Close the picture' }).click();
  await expectPhase(page, 'empty');
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('0');
  await page.getByRole('spinbutton', { name: 'Guidance', exact: true }).fill('');
  await page.getByRole('checkbox', { name: 'by scale' }).uncheck();
  await page.getByRole('spinbutton', { name: 'Temperature' }).fill('');
  await page.getByRole('radio', { name: /Best/u }).check({ force: true });
  await page.getByRole('combobox', { name: 'Control' }).selectOption('none');

  await drop(page, 'night.png', told);
  await expect(page.getByText('Every setting is as it was when this picture was made.')).toBeVisible();
  await expect(page.getByText('other weights')).toHaveCount(0);
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue(words);
  await expect(page.getByRole('spinbutton', { name: 'Seed' })).toHaveValue('41');
  await expect(page.getByRole('spinbutton', { name: 'Guidance', exact: true })).toHaveValue('2.5');
  await expect(page.getByRole('slider', { name: 'Temperature at scale 1', exact: true })).toHaveValue('0.8');
  await expect(page.getByRole('slider', { name: 'Temperature at scale 6', exact: true })).toHaveValue('0');
  await expect(page.getByRole('radio', { name: /Fast/u })).toBeChecked();
  await expect(page.getByRole('combobox', { name: 'Control' })).toHaveValue('canny');
});

test('scenario 14: without the recipe neither words nor a path are in the file, and what others wrote stays', async ({
  studio: { page },
}) => {
  const latin1 = makeChunk('tEXt', Buffer.from('Author\0Zo\u00eb', 'latin1'));
  const source = Buffer.from(insertChunks(await scenePng(160, 120), [latin1, textChunk('Title', '城市 🏙️')]));
  await openBytes(page, 'city.png', source);
  await expectPhase(page, 'ready');
  await edit(page, 'make it night');
  const [told, silent] = [await saved(page, 'png'), await saved(page, 'png', withoutRecipe)];
  expect(recipeOf(told).request.instruction).toBe('make it night');
  for (const secret of ['make it', 'night', 'studio', 'tokens', 'city']) expect([secret, silent.includes(secret)]).toEqual([secret, false]);
  for (const file of [told, silent]) {
    expect(file.includes(Buffer.from(latin1))).toBe(true);
    expect(textsOf(file, 'Title')).toEqual(['城市 🏙️']);
    for (const place of [tmpdir(), process.cwd()]) expect(file.includes(place)).toBe(false);
  }
});

test('scenario 14: decoding the tokens in the file gives the patch that the model drew', async ({ studio: { page, openScene } }) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'scalebrush-recipe-'));
  const [told, decoded] = [path.join(folder, 'told.png'), path.join(folder, 'decoded.png')];
  // At the pack's own size and taken as it is, the whole picture is the patch.
  await openScene(256, 256);
  await page.getByRole('checkbox', { name: 'Paste only what changed' }).uncheck();
  await edit(page, 'make it night');
  await writeFile(told, await saved(page, 'png'));
  expect(await scalebrush('decode', told, '-o', decoded)).toMatchObject({ code: 0, stderr: '' });
  expect(differingPixels(await rawPicture(told), await rawPicture(decoded), () => false)).toBe(0);

  // The same recipe, as if of other weights of the pack: opened and decoded, and said once.
  const recipe = recipeOf(await readFile(told));
  const strange = { ...recipe, pack: { ...recipe.pack, sha256: recipe.pack.sha256.map(() => 'f'.repeat(64)) } };
  const other = withRecipe(await saved(page, 'png', withoutRecipe), JSON.stringify(strange));
  await writeFile(told, other);
  const { code, stderr } = await scalebrush('decode', told, '-o', decoded);
  expect([code, stderr.match(/other weights/gu)?.length]).toEqual([0, 1]);
  await page.getByRole('button', { name: 'Discard' }).click();
  await drop(page, 'other.png', other);
  await expect(page.getByText('It was made with other weights of this model than are installed')).toHaveCount(1);
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('make it night');
  await rm(folder, { recursive: true });
});

test('scenario 14: a hostile recipe is passed over with a notice, and the picture opens', async ({ studio: { page } }) => {
  const scene = Buffer.from(await scenePng(160, 120));
  for (const text of ['['.repeat(200_000), '{"__proto__":{"phase":"done"}}', '{"scalebrush":1,"request":7}', 'x'.repeat(900_000)]) {
    await openBytes(page, 'evil.png', withRecipe(scene, text));
    await expectPhase(page, 'ready');
    await expect(page.getByText('The recipe in this file cannot be read')).toBeVisible();
    await page.getByRole('button', { name: 'Close the picture' }).click();
    await expectPhase(page, 'empty');
  }
});
