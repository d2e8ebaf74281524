import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { canvasShot, expectPhase } from './support/studio.js';

async function openScene(page: Page, name = 'scene.png'): Promise<void> {
  const buffer = Buffer.from(await scenePng(320, 240));
  await page.getByTestId('file-input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  await expectPhase(page, 'ready');
}

async function runToEnd(page: Page): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

test('the panels have the names and roles that a screen reader needs', async ({ page, server: _ }) => {
  await expect(page.getByRole('radiogroup', { name: 'Speed', exact: true }).getByRole('radio')).toHaveCount(4);
  await expect(page.getByRole('group', { name: 'Expand', exact: true }).getByRole('spinbutton')).toHaveCount(4);
});

for (const width of [1024, 1440]) {
  test(`a long name leaves every button inside a window of ${width} pixels`, async ({ page, server: _ }) => {
    await page.setViewportSize({ width, height: 700 });
    await openScene(page, `${'a-photograph-of-the-summer-'.repeat(8)}.png`);
    const boxes = await Promise.all(
      (await page.locator('header button, aside button, aside input:visible').all()).map((b) => b.boundingBox()),
    );
    const shown = boxes.filter((box) => box !== null);
    expect(shown.length).toBeGreaterThan(10);
    expect(shown.filter((box) => box.x < 0 || box.x + box.width > width)).toEqual([]);
  });
}

test('holding Tab with the focus nowhere shows the original; a tap moves on from the text that was clicked', async ({
  page,
  server: _,
}) => {
  await openScene(page);
  await runToEnd(page);
  const compare = page.getByRole('button', { name: 'Compare' });
  const leave = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let turn = 0; turn < 2; turn++) {
    await leave();
    await page.keyboard.down('Tab');
    await expect(compare).toHaveAttribute('aria-pressed', 'true');
    // How long the key is held is what is tried here: longer than a tap.
    await page.waitForTimeout(250);
    await page.keyboard.up('Tab');
    await expect(compare).toHaveAttribute('aria-pressed', 'false');
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true);
  }
  await page.getByText('Speed', { exact: true }).click();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('radio', { name: 'Balanced' })).toBeFocused();
});

test('words dragged or pasted into the instruction are the field’s, files are the window’s', async ({ page, server }) => {
  await openScene(page);
  const taken = await page.getByRole('textbox', { name: 'Instruction' }).evaluate((box) => {
    const words = () => {
      const transfer = new DataTransfer();
      transfer.setData('text/plain', 'words');
      return transfer;
    };
    const both = words();
    both.items.add(new File([new Uint8Array(9)], 'words.png', { type: 'image/png' }));
    const events = [
      new DragEvent('dragover', { dataTransfer: words(), bubbles: true, cancelable: true }),
      new DragEvent('drop', { dataTransfer: words(), bubbles: true, cancelable: true }),
      new ClipboardEvent('paste', { clipboardData: both, bubbles: true, cancelable: true }),
    ];
    for (const event of events) box.dispatchEvent(event);
    return events.map(({ defaultPrevented }) => defaultPrevented);
  });
  expect(taken).toEqual([false, false, false]);
  expect(server.uploads.map(({ name }) => name)).toEqual(['scene.png']);
});

/** A number of the ruler and where it stands on the screen, for the first two that are shown. */
async function rulerScale(page: Page): Promise<number> {
  const marks = await page
    .getByTestId('ruler')
    .first()
    .locator('text')
    .evaluateAll((texts) => texts.slice(0, 2).map((text) => ({ at: Number(text.getAttribute('x')), value: Number(text.textContent) })));
  const [first, second] = marks as [(typeof marks)[0], (typeof marks)[0]];
  return (second.at - first.at) / (second.value - first.value);
}

test('rulers count pixels of the picture at any zoom, and are off by default', async ({ page, server: _ }) => {
  await openScene(page);
  await expect(page.getByTestId('ruler')).toHaveCount(0);
  await page.getByRole('button', { name: 'Rulers' }).click();
  await expect(page.getByTestId('ruler')).toHaveCount(2);
  await page.getByRole('button', { name: '1:1', exact: true }).click();
  await expect.poll(() => rulerScale(page)).toBeCloseTo(1, 1);
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  // As a trackpad tells of a pinch: e^0.6 times as large.
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -60);
  await page.keyboard.up('Control');
  await expect.poll(() => rulerScale(page)).toBeCloseTo(Math.exp(0.6), 1);
  await page.getByRole('button', { name: 'Rulers' }).click();
  await expect(page.getByTestId('ruler')).toHaveCount(0);
});

test('two fingers move and pinch the picture, and what the first one began is not painted', async ({ page, server: _ }) => {
  await openScene(page);
  await page.getByRole('button', { name: '1:1', exact: true }).click();
  await page.getByRole('button', { name: 'Rulers' }).click();
  const box = (await page.getByTestId('canvas').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const before = await canvasShot(page);
  const touch = await page.context().newCDPSession(page);
  const fingers = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...spread: number[]) =>
    touch.send('Input.dispatchTouchEvent', { type, touchPoints: spread.map((by, id) => ({ x: x + by, y, id })) });
  await fingers('touchStart', -40);
  await fingers('touchStart', -40, 40);
  for (const spread of [50, 65, 80]) await fingers('touchMove', -spread, spread);
  await fingers('touchEnd');
  await expect.poll(() => rulerScale(page)).toBeCloseTo(2, 1);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  for (const spread of [80, 60, 40]) await fingers(spread === 80 ? 'touchStart' : 'touchMove', -spread, spread);
  await fingers('touchEnd');
  await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
});
