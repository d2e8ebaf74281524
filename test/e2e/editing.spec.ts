import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { canvasShot, expectPhase, stroke } from './support/studio.js';

/** What every editor's user expects of a window. */
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const main = (page: Page) => page.getByTestId('main-button');
const words = (page: Page) => page.getByRole('textbox', { name: 'Instruction' });

async function openScene(page: Page, name = 'scene.png'): Promise<void> {
  await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'image/png', buffer: Buffer.from(await scenePng(320, 240)) });
  await expectPhase(page, 'ready');
}

async function edit(page: Page, instruction: string): Promise<void> {
  await words(page).fill(instruction);
  await main(page).click();
  await expectPhase(page, 'done');
}

async function zoomOf(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByRole('group', { name: 'Zoom' }).textContent()) ?? '');
}

test('the button pressed again draws another picture, and the same seed draws the same one', async ({ page, server }) => {
  await openScene(page);
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await expect(main(page)).toContainText('Fill');
  await main(page).click();
  await expectPhase(page, 'done');
  const first = await canvasShot(page);
  await expect(main(page)).toContainText('Another');
  await main(page).click();
  await expect(page.getByTestId('variant')).toHaveText('2 of 2');
  await button(page, 'Another').first().click();
  await expect(page.getByTestId('variant')).toHaveText('3 of 3');
  expect(server.requests.map(({ seed }) => seed)).toEqual([0, 1, 2]);
  const third = await canvasShot(page);
  expect(third === first).toBe(false);

  // After a run the picture has the keys: left and right walk through the variants.
  await expect(page.getByTestId('canvas')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByTestId('variant')).toHaveText('1 of 3');
  expect((await canvasShot(page)) === first).toBe(true);
  await page.getByRole('button', { name: 'Same seed (0)' }).click();
  await expect(page.getByTestId('variant')).toHaveText('4 of 4');
  expect(server.requests.at(-1)?.seed).toBe(0);
  expect((await canvasShot(page)) === first).toBe(true);

  // All of them go together, and come back.
  await page.keyboard.press('Escape');
  await expectPhase(page, 'ready');
  await page.keyboard.press('Control+z');
  await expect(page.getByTestId('variant')).toHaveText('4 of 4');
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  expect((await canvasShot(page)) === first).toBe(true);
});

test('the space bar moves the picture whatever has the focus, and pressed alone still presses a button', async ({ page, server: _ }) => {
  await openScene(page);
  const control = page.getByRole('combobox', { name: 'Control' });
  const before = await canvasShot(page);
  for (const focused of [
    button(page, 'Brush'),
    page.getByRole('slider', { name: 'Brush size' }),
    page.getByRole('radio', { name: 'Balanced' }),
    control,
    page.locator('summary').first(),
    page.getByTestId('canvas'),
  ]) {
    await focused.focus();
    await page.keyboard.down(' ');
    await stroke(page, [0.5, 0.5], [0.6, 0.6]);
    await page.keyboard.up(' ');
    await expect(button(page, 'Clear mask')).toBeDisabled();
    await page.mouse.move(0, 0);
    expect((await canvasShot(page)) === before).toBe(false);
    await button(page, 'Fit').focus();
    await page.keyboard.press(' ');
    expect((await canvasShot(page)) === before).toBe(true);
  }
  // The list of the system itself is nothing that a page can look at.
  await page.evaluate(() => {
    HTMLSelectElement.prototype.showPicker = function (this: HTMLSelectElement) {
      this.dataset['list'] = 'open';
    };
  });
  await control.focus();
  await page.keyboard.press(' ');
  await expect(control).toHaveAttribute('data-list', 'open');
  await words(page).focus();
  await page.keyboard.type('make it');
  await expect(words(page)).toHaveValue('make it');
});

test('after opening the words have the focus, and letters are letters', async ({ page, server: _ }) => {
  await openScene(page);
  await expect(words(page)).toBeFocused();
  await page.keyboard.type('blue');
  await expect(words(page)).toHaveValue('blue');
  await expect(button(page, 'Brush')).toHaveAttribute('aria-pressed', 'true');
  await expect(button(page, 'Eraser')).toHaveAttribute('aria-pressed', 'false');
  await page.keyboard.press('Enter');
  await expectPhase(page, 'done');
  await expect(page.getByTestId('canvas')).toBeFocused();
  for (const [name, key] of [
    ['Brush', 'B'],
    ['Eraser', 'E'],
    ['Lasso', 'L'],
    ['Select similar', 'W'],
    ['Undo', 'Ctrl Z'],
  ] as const)
    await expect(button(page, name)).toHaveAttribute('title', `${name} (${key})`);
});

test('what was kept is done: the box is empty, the words are in the list, and the button says what it will do', async ({
  page,
  server,
}) => {
  await openScene(page);
  await edit(page, 'make it night');
  await expect(main(page)).toContainText('“make it night”');
  await button(page, 'Keep').click();
  await expect(words(page)).toHaveValue('');
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await expect(main(page)).toContainText('Fill');
  await main(page).click();
  await expectPhase(page, 'done');
  expect(server.requests.at(-1)).toMatchObject({ task: 'fill', instruction: '' });
  await button(page, 'Discard').click();
  await button(page, 'Earlier…').click();
  await expect(page.getByRole('dialog', { name: 'Earlier instructions' }).getByRole('button')).toHaveText(['make it night']);
});

test('painting on a result keeps it and goes on, and undo takes back the stroke, then the keeping', async ({ page, server: _ }) => {
  await openScene(page);
  await edit(page, 'make it night');
  const result = await canvasShot(page);
  for (const name of ['Brush', 'Eraser', 'Lasso', 'Invert mask']) await expect(button(page, name)).toBeEnabled();
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await expectPhase(page, 'ready');
  await expect(main(page)).toContainText('Fill');
  await page.keyboard.press('Control+z');
  await page.mouse.move(0, 0);
  expect((await canvasShot(page)) === result).toBe(true);
  await page.keyboard.press('Control+z');
  await expect(words(page)).toHaveValue('make it night');
  expect((await canvasShot(page)) === result).toBe(false);
});

test('what is kept is still compared: with the step before and with the original, held, split and by difference', async ({
  page,
  server: _,
}) => {
  await openScene(page);
  await page.mouse.move(0, 0);
  const shots = [await canvasShot(page)];
  for (const wish of ['make it night', 'make it warmer']) {
    await edit(page, wish);
    await button(page, 'Keep').click();
    await expectPhase(page, 'ready');
    await page.mouse.move(0, 0);
    shots.push(await canvasShot(page));
  }
  const [original, night, warm] = shots;
  await button(page, 'Compare').click();
  expect((await canvasShot(page)) === night).toBe(true);
  await page.getByRole('combobox', { name: 'Compare with' }).selectOption('the original');
  expect((await canvasShot(page)) === original).toBe(true);
  await button(page, 'Compare').click();
  expect((await canvasShot(page)) === warm).toBe(true);
  await page.getByTestId('canvas').focus();
  await page.keyboard.down('Tab');
  await expect.poll(async () => (await canvasShot(page)) === original).toBe(true);
  await page.keyboard.up('Tab');
  await expect.poll(async () => (await canvasShot(page)) === warm).toBe(true);
  for (const look of ['Split', 'Difference']) {
    await button(page, look).click();
    expect(shots).not.toContain(await canvasShot(page));
    await button(page, look).click();
  }
});

test('1:1 is one pixel of the picture on one of the screen, however dense that is', async ({ page, server: _ }) => {
  const client = await page.context().newCDPSession(page);
  const screen = { width: 1440, height: 900, mobile: false };
  await client.send('Emulation.setDeviceMetricsOverride', { ...screen, deviceScaleFactor: 2 });
  await page.reload();
  await expectPhase(page, 'empty');
  await openScene(page);
  await button(page, '1:1').click();
  expect(await zoomOf(page)).toBe(100);
  await page.mouse.move(0, 0);
  const width = await page.getByTestId('canvas').evaluate(async (canvas: HTMLCanvasElement) => {
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    const row = canvas.getContext('2d')!.getImageData(0, Math.round((canvas.height - 60) / 2), canvas.width, 1).data;
    return Array.from({ length: canvas.width }, (_, x) => row[x * 4 + 3]).filter((alpha) => alpha === 255).length;
  });
  // With a hairline around it.
  expect(Math.abs(width - 320)).toBeLessThanOrEqual(4);
});

test('a border that is pulled beyond the window stays in view, and its size is said where it is pulled', async ({ page, server: _ }) => {
  await openScene(page);
  const handle = page.getByRole('slider', { name: 'Pull the border: Right' });
  const box = (await page.getByTestId('canvas').boundingBox())!;
  const at = (await handle.boundingBox())!;
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width + 200, at.y, { steps: 8 });
  const grown = Number(await handle.getAttribute('aria-valuenow'));
  await expect(page.getByTestId('pulled-size')).toHaveText(`${320 + grown} × 240`);
  const now = (await handle.boundingBox())!;
  expect(now.x + now.width).toBeLessThanOrEqual(box.x + box.width);
  await page.mouse.up();
  await expect(page.getByTestId('pulled-size')).toHaveCount(0);
});

test('one tool is pressed at a time, and every button that has no words says what it is', async ({ page, server: _ }) => {
  await openScene(page);
  await edit(page, 'make it night');
  // How an outline is combined with the mask is chosen in a group of its own.
  const pressed = page.locator('section[aria-label="Mask tools"] button[aria-pressed="true"]:not([role="group"] *)');
  for (const key of ['e', 'l', 'e', 'p', 'b']) {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press(key);
    await expect(pressed).toHaveCount(1);
  }
  const faults = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('button, select, input, summary')]
      .filter((element) => element.checkVisibility())
      .flatMap((element) => {
        const { width, height } = element.getBoundingClientRect();
        const label = element.closest('label');
        const small = label ? false : Math.min(width, height) < 24;
        const mute = element.tagName === 'BUTTON' && element.innerText.trim() === '' && !element.title && !element.dataset['testid'];
        return small || mute ? [`${element.outerHTML.slice(0, 90)} ${Math.round(width)}×${Math.round(height)}`] : [];
      }),
  );
  expect(faults).toEqual([]);
});

test('another photo, or closing, throws nothing away: the document lies under Recent, and undo reaches back to it', async ({
  page,
  server: _,
}) => {
  // With the tabs of two documents the picture has the same room before and after.
  await openScene(page, 'first.png');
  await openScene(page);
  await expect(page.getByTestId('tab')).toHaveText(['first.png', 'scene.png']);
  await edit(page, 'make it night');
  await button(page, 'Keep').click();
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await page.mouse.move(0, 0);
  const before = await canvasShot(page);

  await openScene(page, 'other.png');
  await expect(page.locator('header')).toContainText('other.png');
  await button(page, 'Undo').click();
  await expect(page.locator('header')).toContainText('scene.png');
  await page.mouse.move(0, 0);
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);

  for (const next of ['other.png', 'first.png']) {
    await button(page, 'Close the picture').click();
    await expect(page.locator('header')).toContainText(next);
  }
  await button(page, 'Close the picture').click();
  await expectPhase(page, 'empty');
  await expect(page.getByTestId('recent')).toHaveCount(3);
  for (const thumbnail of await page.getByTestId('recent').locator('img').all()) {
    await expect.poll(() => thumbnail.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  }
  await expect(page.getByTestId('recent').locator('img')).toHaveCount(3);
  await page.getByTestId('recent').filter({ hasText: 'scene.png' }).click();
  await expectPhase(page, 'ready');
  await expect(button(page, 'Clear mask')).toBeEnabled();
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  await button(page, 'Recent documents').click();
  await page.getByRole('dialog', { name: 'Recent documents' }).getByTestId('recent').filter({ hasText: 'other.png' }).click();
  await expect(page.locator('header')).toContainText('other.png');
});

test('undo brings back what was closed, at once and after another photo, and nobody is asked anything', async ({ page, server: _ }) => {
  const asked: string[] = [];
  page.on('dialog', (dialog) => asked.push(dialog.message()));
  await openScene(page);
  await edit(page, 'make it night');
  await button(page, 'Keep').click();
  await page.mouse.move(0, 0);
  const before = await canvasShot(page);
  await button(page, 'Close the picture').click();
  await expectPhase(page, 'empty');
  await page.keyboard.press('Control+z');
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('history-step')).toHaveCount(2);
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
  expect(asked).toEqual([]);
});

test('a journal that cannot be written is said, and the work goes on', async ({ page, server: _ }) => {
  await openScene(page);
  const error = { code: 'output.unwritable', message: 'The disk is full.' };
  await page.route('**/api/call/journal.write', (route) => route.fulfill({ status: 422, json: error }));
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await expect(page.getByRole('alert')).toContainText('could not be written');
  await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click();
  await stroke(page, [0.4, 0.6], [0.6, 0.6]);
  // Once: the same is not said with every stroke.
  await expect(page.getByRole('alert')).toBeHidden();
  await main(page).click();
  await expectPhase(page, 'done');
});
