import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { clickAt, paintedShare, placesAtActualSize, savedMask, SIZE, test } from '../support/masks.js';
import { canvasShot, expectPhase, stroke } from '../support/studio.js';

const clearButton = (page: Page) => page.getByRole('button', { name: 'Clear mask' });

type Place = readonly [x: number, y: number];

async function pull(page: Page, places: readonly Place[], button: 'left' | 'right' = 'left'): Promise<void> {
  const [first, ...others] = places as readonly [Place, ...Place[]];
  await page.mouse.move(...first);
  await page.mouse.down({ button });
  for (const place of others) await page.mouse.move(...place, { steps: 4 });
  await page.mouse.up({ button });
}

for (const [tool, key] of [
  ['Lasso', 'l'],
  ['Rectangle', 'r'],
  ['Ellipse', 'o'],
] as const) {
  test(`7 mask drill: the ${tool.toLowerCase()}, chosen by its key, paints what it encloses, and that can be undone`, async ({
    page,
    server: _,
  }) => {
    await page.getByTestId('canvas').focus();
    await page.keyboard.press(key);
    await expect(page.getByRole('button', { name: tool })).toHaveAttribute('aria-pressed', 'true');
    const at = await placesAtActualSize(page);
    const before = await canvasShot(page);
    await pull(page, [at(100, 60), ...(tool === 'Lasso' ? [at(180, 60)] : []), at(180, 140)]);
    // Half a rectangle, a whole one, and a circle in it.
    const share = { Lasso: 3200, Rectangle: 6400, Ellipse: Math.PI * 1600 }[tool] / (SIZE.width * SIZE.height);
    expect(Math.abs((await paintedShare(page)) / share - 1)).toBeLessThan(0.03);
    await page.keyboard.press('ControlOrMeta+z');
    await page.mouse.move(0, 0);
    await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
  });
}

test('7 mask drill: the eraser and the right button take away what the brush painted; invert turns it round', async ({
  page,
  server: _,
}) => {
  const at = await placesAtActualSize(page);
  const painted = async (x: number, y: number) => (await savedMask(page))[y * SIZE.width + x]! > 0;
  await pull(page, [at(60, 120), at(260, 120)]);
  expect(await painted(160, 120)).toBe(true);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('e');
  await expect(page.getByRole('button', { name: 'Eraser' })).toHaveAttribute('aria-pressed', 'true');
  await pull(page, [at(160, 60), at(160, 180)]);
  expect(await painted(160, 120)).toBe(false);
  await page.keyboard.press('b');
  await pull(page, [at(80, 60), at(80, 180)], 'right');
  expect([await painted(80, 120), await painted(230, 120)]).toEqual([false, true]);
  const share = await paintedShare(page);
  await page.getByRole('button', { name: 'Invert mask' }).click();
  expect(await paintedShare(page)).toBeCloseTo(1 - share, 10);
  expect(await painted(80, 120)).toBe(true);
});

test('7 mask drill: a polygon is set corner by corner, closed on its first one, and dropped by Escape', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Polygon' }).click();
  for (const [x, y] of [[0.45, 0.45], [0.55, 0.45]] as const) await clickAt(page, x, y); // prettier-ignore
  await page.keyboard.press('Escape');
  await expect(clearButton(page)).toBeDisabled();
  for (const [x, y] of [[0.42, 0.42], [0.58, 0.42], [0.58, 0.58], [0.42, 0.58], [0.42, 0.42]] as const) await clickAt(page, x, y); // prettier-ignore
  await expect(clearButton(page)).toBeEnabled();
  expect(await paintedShare(page)).toBeGreaterThan(0.02);
});

test('7 mask drill: similar pixels are selected by a click, and by keys', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Select similar' }).click();
  await expect(page.getByRole('slider', { name: 'How much colours may differ' })).toBeVisible();
  await clickAt(page, 0.5, 0.35);
  const byClick = await paintedShare(page);
  expect(byClick).toBeGreaterThan(0.01);
  await clearButton(page).click();
  await page.getByTestId('canvas').focus();
  await page.mouse.move(0, 0);
  await page.keyboard.press('w');
  await page.keyboard.press('Enter');
  expect(await paintedShare(page)).toBeGreaterThan(0);
});

test('7 mask drill: a stroke that leaves the picture and returns is painted where the hand was, at full size', async ({ page, server }) => {
  const at = await placesAtActualSize(page);
  await pull(page, [at(280, 80), at(900, 80), at(900, 160), at(280, 160)]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  const upload = server.uploads.find(({ name }) => name === 'mask.png');
  const { data, info } = await sharp(upload?.bytes).extractChannel(0).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([SIZE.width, SIZE.height]);
  const painted = ([x, y]: Place) => data[y * info.width + x]! > 0;
  expect(([[280, 80], [319, 80], [319, 160], [280, 160]] as const).map(painted)).toEqual([true, true, true, true]); // prettier-ignore
  expect(([[240, 80], [300, 120], [280, 40], [10, 10]] as const).map(painted)).toEqual([false, false, false, false]); // prettier-ignore
  expect(new Set(data)).toEqual(new Set([0, 255]));
});

for (const [tool, key] of [
  ['lasso', 'l'],
  ['brush', 'b'],
] as const) {
  test(`7 mask drill: the picture is moved in the middle of a ${tool}, which then goes on and loses nothing`, async ({
    page,
    server: _,
  }) => {
    const at = await placesAtActualSize(page);
    const corners = [[60, 60], [200, 60], [200, 180], [60, 180]] as const; // prettier-ignore
    await page.getByTestId('canvas').focus();
    await page.keyboard.press(key);
    await pull(
      page,
      corners.map(([x, y]) => at(x, y)),
    );
    const whole = await savedMask(page);
    await clearButton(page).click();

    await page.mouse.move(...at(60, 60));
    await page.mouse.down();
    await page.mouse.move(...at(200, 60), { steps: 4 });
    await page.keyboard.down(' ');
    await page.mouse.move(...at(120, 30), { steps: 4 });
    await page.keyboard.up(' ');
    // The picture went 80 to the left and 30 up.
    const moved = (x: number, y: number) => at(x - 80, y - 30);
    await page.mouse.move(...moved(200, 180), { steps: 4 });
    await page.mouse.move(...moved(60, 180), { steps: 4 });
    await page.mouse.up();
    expect((await savedMask(page)).equals(whole)).toBe(true);
  });
}

test('7 mask drill: growing and shrinking by the same number gives a disc back within a pixel', async ({ page, server: _ }) => {
  await page.getByRole('button', { name: 'Ellipse' }).click();
  await page.keyboard.down('Shift');
  await stroke(page, [0.45, 0.42], [0.55, 0.58]);
  await page.keyboard.up('Shift');
  const before = await savedMask(page);
  for (const name of ['Grow', 'Shrink']) {
    await page.getByRole('button', { name: 'Mask…' }).click();
    await page.getByRole('button', { name, exact: true }).click();
    await page.keyboard.press('Escape');
  }
  const after = await savedMask(page);
  expect(after.some((value) => value > 0)).toBe(true);
  const onItsEdge = (at: number) => [-1, 0, 1].some((dy) => [-1, 0, 1].some((dx) => before[at + dy * SIZE.width + dx] !== before[at]));
  expect([...after.keys()].filter((at) => after[at] !== before[at] && !onItsEdge(at))).toEqual([]);
});

test('7 mask drill: a saved mask is opened again, pixel for pixel; one of another shape is refused', async ({ page, server: _ }) => {
  await stroke(page, [0.45, 0.5], [0.55, 0.5]);
  const before = await savedMask(page);
  await clearButton(page).click();
  const { width, height } = SIZE;
  const buffer = await sharp(before, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'mask.png', mimeType: 'image/png', buffer });
  await expect(clearButton(page)).toBeEnabled();
  expect((await savedMask(page)).equals(before)).toBe(true);
  const square = await sharp(buffer).resize(100, 100, { fit: 'fill' }).png().toBuffer();
  await page.getByTestId('mask-input').setInputFiles({ name: 'square.png', mimeType: 'image/png', buffer: square });
  await expect(page.getByRole('alert')).toContainText('Expected a mask of 320×240 but received 100×100.');
});

const WAYS = {
  'by keys': {
    paint: async (page: Page) => {
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('Enter');
    },
    undo: (page: Page) => page.keyboard.press('ControlOrMeta+z'),
    redo: (page: Page) => page.keyboard.press('ControlOrMeta+Shift+z'),
  },
  'by mouse': {
    paint: (page: Page, step: number) => clickAt(page, 0.4 + 0.2 * (step / 60), 0.45 + 0.1 * (step % 2)),
    undo: (page: Page) => page.getByRole('button', { name: 'Undo' }).click(),
    redo: (page: Page) => page.getByRole('button', { name: 'Redo' }).click(),
  },
};

for (const [way, { paint, undo, redo }] of Object.entries(WAYS)) {
  test(`7 mask drill: sixty steps are undone to nothing and redone to the last ${way}`, async ({ page, server: _ }) => {
    await page.getByTestId('canvas').focus();
    for (let step = 0; step < 60; step++) await paint(page, step);
    const painted = await savedMask(page);
    for (let step = 0; step < 60; step++) await undo(page);
    await expect(clearButton(page)).toBeDisabled();
    for (let step = 0; step < 60; step++) await redo(page);
    expect((await savedMask(page)).equals(painted)).toBe(true);
  });
}
