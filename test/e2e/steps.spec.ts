import { readFile } from 'node:fs/promises';
import { expect, type Download, type Page } from '@playwright/test';
import { initializeCanvas, readPsd } from 'ag-psd';
import sharp from 'sharp';
import { insertChunks, textChunk } from '#engine/image/png-chunks.js';
import { scenePng } from '../support/pictures.js';
import { differingPixels, rawPicture } from './support/honesty.js';
import { canvasShot, expectPhase, stroke, test, type Studio } from './support/studio.js';

initializeCanvas(
  () => {
    throw new Error('Expected no canvas to be drawn on.');
  },
  (width, height) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }) as ImageData,
);

/** Longer than the journal may lag behind. */
const A_SECOND = 1000;

async function edit(page: Page, instruction: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(instruction);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

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

async function saved(page: Page, format: string, choose: (dialog: Page) => Promise<void> = async () => undefined): Promise<Download> {
  await page.getByRole('button', { name: 'Save…' }).click();
  await page.getByRole('combobox', { name: 'Format' }).selectOption(format);
  await choose(page);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  return download;
}

async function savedBytes(page: Page, ...how: [format: string, choose?: (dialog: Page) => Promise<void>]): Promise<Buffer> {
  return readFile(await (await saved(page, ...how)).path());
}

function open(page: Page, name: string, buffer: Buffer): Promise<void> {
  return page.getByTestId('file-input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
}

const current = (page: Page) => page.locator('[data-testid=history-step][aria-current=step]');
const deed = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('a picture that was saved with its recipe brings every setting back', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('41');
  await page.getByRole('spinbutton', { name: 'Guidance' }).fill('2.5');
  await page.getByRole('radio', { name: /Fast/u }).check({ force: true });
  await edit(page, 'make it night');
  const told = await savedBytes(page, 'png');
  const silent = await savedBytes(page, 'png', (dialog) => dialog.getByRole('checkbox', { name: /Keep the recipe/u }).uncheck());
  expect([told.includes('make it night'), silent.includes('make it night'), silent.includes('sketch')]).toEqual([true, false, false]);
  await page.reload();
  await page.getByRole('button', { name: 'Close the picture' }).click();
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('spinbutton', { name: 'Seed' }).fill('0');
  await open(page, 'night.png', told);
  await expectPhase(page, 'ready');
  await expect(page.getByText('Every setting is as it was when this picture was made.')).toBeVisible();
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('make it night');
  await expect(page.getByRole('spinbutton', { name: 'Seed' })).toHaveValue('41');
  await expect(page.getByRole('spinbutton', { name: 'Guidance' })).toHaveValue('2.5');
  await expect(page.getByRole('radio', { name: /Fast/u })).toBeChecked();
});

test('a hostile recipe is passed over with a notice, and the picture opens', async ({ studio: { page } }) => {
  const scene = await scenePng(160, 120);
  for (const text of ['['.repeat(200_000), '{"__proto__":{"phase":"done"}}', '{"scalebrush":1,"request":7}', 'x'.repeat(900_000)]) {
    await open(page, 'evil.png', Buffer.from(insertChunks(scene, [textChunk('Scalebrush recipe', text)])));
    await expectPhase(page, 'ready');
    await expect(page.getByText('The recipe in this file cannot be read')).toBeVisible();
    await page.getByRole('button', { name: 'Close the picture' }).click();
    await expectPhase(page, 'empty');
  }
});

test('the place can be left out of a saved picture, and nothing else is', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByRole('button', { name: 'Save…' }).click();
  await expect(page.getByRole('checkbox', { name: 'Keep where it was taken' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const phone = await sharp(await scenePng(160, 120))
    .withExif({ IFD0: { Make: 'Ours' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 12/1' } })
    .jpeg()
    .toBuffer();
  await open(page, 'phone.jpg', phone);
  await expect(page.getByText('phone.jpg')).toBeVisible();
  await edit(page, 'make it warmer');
  const strip = (dialog: Page) => dialog.getByRole('checkbox', { name: 'Keep where it was taken' }).uncheck();
  await page.getByRole('button', { name: 'Save…' }).click();
  await expect(page.getByRole('combobox', { name: 'Format' })).toHaveValue('jpeg');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  const [kept, stripped] = [await savedBytes(page, 'jpeg'), await savedBytes(page, 'jpeg', strip)];
  const exif = await Promise.all([kept, stripped].map(async (bytes) => (await sharp(bytes).metadata()).exif!));
  expect(exif.map((block) => block.includes('Ours'))).toEqual([true, true]);
  const places = exif.map((block) => block.includes(Buffer.from([0x88, 0x25])) || block.includes(Buffer.from([0x25, 0x88])));
  expect(places).toEqual([true, false]);
});

test('a step is left out, run again, changed and moved; undo and a reload bring all of it back', async ({
  studio: { page, openScene },
}) => {
  await openScene();
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
  await page.waitForTimeout(A_SECOND);
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
  for (const words of ['make it warmer', 'make it night']) {
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
  await deed(page, 'Run again').click();
  await expect(page.getByText(/to be run again/u)).toBeHidden();
});

test('a document is saved for Photoshop with every step as a layer', async ({ studio: { page, openScene } }) => {
  await openScene();
  await fill(page, 0.3);
  await edit(page, 'make it warmer');
  await keep(page);
  const file = await saved(page, 'layers');
  expect(file.suggestedFilename()).toBe('scene.psd');
  const psd = readPsd(await readFile(await file.path()), { useImageData: true });
  expect(psd.children?.map(({ name }) => name)).toEqual(['scene.png', 'fill', 'make it warmer']);
  expect(psd.children?.[1]?.mask?.disabled).toBe(true);
  const shown = await rawPicture(await savedBytes(page, 'png'));
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
  await page.waitForTimeout(A_SECOND);
  await page.reload();
  await expectPhase(page, 'ready');
  await maskMenu(studio);
  await expect(page.getByRole('radio')).toHaveCount(7);
  await expect(page.getByRole('radio', { name: 'sky 2' })).toBeChecked();
});

test('the picture goes to other programs by the clipboard and by dragging', async ({ studio: { page, openScene }, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openScene();
  await edit(page, 'make it night');
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('ControlOrMeta+c');
  await expect
    .poll(() =>
      page.evaluate(async () => {
        const [item] = await navigator.clipboard.read();
        if (!item?.types.includes('image/png')) return undefined;
        const bitmap = await createImageBitmap(await item.getType('image/png'));
        return [bitmap.width, bitmap.height];
      }),
    )
    .toEqual([320, 240]);
  const handle = page.getByRole('button', { name: /Drag the picture out/u });
  const said = await handle.evaluate((button) => {
    const dataTransfer = new DataTransfer();
    button.dispatchEvent(new DragEvent('dragstart', { dataTransfer }));
    return dataTransfer.getData('DownloadURL');
  });
  const [, type, name, address = ''] = /^([^:]*):([^:]*):(.*)$/u.exec(said) ?? [];
  expect([type, name]).toEqual(['image/png', 'scene-edit-1.png']);
  const picture = await rawPicture(Buffer.from(await (await page.request.get(address)).body()));
  expect([picture.width, picture.height]).toEqual([320, 240]);
});
