import { expect, type Page } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { test } from './support/fake-window.js';
import { LOOKS, spills, violations } from './support/looks.js';
import { canvasShot, expectPhase, stroke } from './support/studio.js';

const SCALES = 6;

async function openScene(page: Page, width = 320, height = 240): Promise<void> {
  await openFile(page, 'scene.png', Buffer.from(await scenePng(width, height)));
  await expectPhase(page, 'ready');
}

function openFile(page: Page, name: string, buffer: Buffer): Promise<void> {
  return page.getByTestId('file-input').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
}

async function say(page: Page, words: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Instruction' }).fill(words);
}

async function runToEnd(page: Page): Promise<void> {
  await say(page, 'make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
}

for (const { name, ...look } of LOOKS) {
  test.describe(name, () => {
    test.use(look);

    test('every state is clean for axe, and nothing spills over', async ({ page, server }) => {
      const states: Record<string, () => Promise<void>> = {
        empty: () => Promise.resolve(),
        masked: async () => {
          await openScene(page);
          await stroke(page, [0.4, 0.5], [0.6, 0.5]);
        },
        unknown: async () => {
          await say(page, 'make the unicorn blue');
          await expect(page.getByTestId('unknown-words')).toBeVisible();
          await page.getByText('More', { exact: true }).click();
        },
        running: async () => {
          server.script.holdBefore = 4;
          await page.getByTestId('main-button').click();
          await expect(page.getByRole('status')).toHaveText('Scale 3 of 6');
        },
        done: async () => {
          await page.keyboard.press('Escape');
          server.script.holdBefore = undefined;
          await page.getByTestId('main-button').click();
          await expectPhase(page, 'done');
        },
        failed: async () => {
          server.script.failBefore = { scale: 2, code: 'inference.died', message: 'The inference process ended unexpectedly.' };
          await page.getByTestId('main-button').click();
          await expectPhase(page, 'failed');
        },
      };
      for (const [name, enter] of Object.entries(states)) {
        await enter();
        expect(await violations(page), name).toEqual([]);
        expect(await spills(page), name).toEqual([]);
      }
    });
  });
}

test('the strip shows the places of the scales before the first run and fills them in order', async ({ page, server }) => {
  await openScene(page);
  const cells = page.getByTestId('scale-cell');
  await expect(cells).toHaveCount(SCALES);
  const states = () => cells.evaluateAll((all) => all.map((cell) => (cell as HTMLElement).dataset['state']));
  await say(page, 'make it night');
  for (let scale = 2; scale <= SCALES; scale++) {
    server.script.holdBefore = scale;
    await page.getByTestId('main-button').click();
    const wanted = Array.from({ length: SCALES }, (_, k) => (k < scale - 1 ? 'done' : 'empty'));
    await expect.poll(states).toEqual(wanted);
    await expect(page.getByRole('status')).toHaveText(`Scale ${scale - 1} of ${SCALES}`);
    await page.keyboard.press('Escape');
    await expectPhase(page, 'ready');
  }
});

test('a cell of the strip shows its scale on the canvas while it is looked at', async ({ page, server: _ }) => {
  await openScene(page);
  await runToEnd(page);
  const result = await canvasShot(page);
  const shots = new Set([result]);
  for (const cell of await page.getByTestId('scale-cell').getByRole('button').all()) {
    await cell.focus();
    shots.add(await canvasShot(page));
  }
  expect(shots.size).toBe(SCALES + 1);
  await page.getByTestId('main-button').focus();
  expect(await canvasShot(page)).toBe(result);
});

test('nothing moves while a run goes on', async ({ page, server }) => {
  await openScene(page);
  await say(page, 'make it night');
  await expect(page.getByTestId('main-button')).toContainText('1.0 s');
  await page.evaluate(() => {
    new PerformanceObserver((list) => {
      const moved = list.getEntries().flatMap((entry) => (entry as unknown as { sources: { node?: Node }[] }).sources);
      document.documentElement.dataset['moved'] = moved.map(({ node }) => node?.parentElement?.outerHTML ?? '').join('\n');
    }).observe({ type: 'layout-shift' });
  });
  server.script.paceMs = 150;
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(await page.evaluate(() => document.documentElement.dataset['moved'])).toBeUndefined();
});

test('cancelling a second run brings the first result back', async ({ page, server }) => {
  await openScene(page);
  await runToEnd(page);
  const before = await canvasShot(page);
  server.script.holdBefore = 3;
  await page.getByTestId('main-button').click();
  await expect(page.getByRole('status')).toHaveText('Scale 2 of 6');
  expect(await canvasShot(page)).not.toBe(before);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(await canvasShot(page)).toBe(before);
  await expect(page.locator('[data-testid="scale-cell"][data-state="done"]')).toHaveCount(SCALES);
  await expect.poll(() => server.cancelled).toBe(1);
});

test('the focus stays on the main button from Edit to Cancel and back', async ({ page, server }) => {
  await openScene(page);
  await say(page, 'make it night');
  server.script.holdBefore = 2;
  const button = page.getByTestId('main-button');
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(button).toHaveText('Cancel');
  await expect(button).toBeFocused();
  await page.keyboard.press('Enter');
  await expectPhase(page, 'ready');
  await expect(button).toBeFocused();
});

test('a connection that breaks in mid-run is said and leaves the picture', async ({ page, server }) => {
  await openScene(page);
  const before = await canvasShot(page);
  server.script.breakBefore = 3;
  await say(page, 'make it night');
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'failed');
  await expect(page.getByRole('alert')).toContainText('unchanged');
  expect(await canvasShot(page)).toBe(before);
});

test('a failure of the run is said with its advice, and the next run works', async ({ page, server }) => {
  await openScene(page);
  server.script.failBefore = { scale: 2, code: 'memory.too-little', message: 'Expected 9 GB but only 2 GB are free.' };
  await say(page, 'make it night');
  await page.getByTestId('main-button').click();
  await expect(page.getByRole('alert')).toContainText('only 2 GB are free');
  await expect(page.getByRole('alert')).toContainText('faster speed');
  server.script.failBefore = undefined;
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a mask is painted by keyboard, and a tap of Tab still moves on', async ({ page, server: _ }) => {
  await openScene(page);
  await page.getByTestId('canvas').focus();
  for (const key of ['ArrowLeft', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
  await expect(page.getByTestId('main-button')).toHaveText(/Fill/u);
  await page.keyboard.press('Control+z');
  await expect(page.getByTestId('main-button')).toHaveText(/Edit/u);
  await runToEnd(page);
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('Tab');
  await expect(page.getByTestId('canvas')).not.toBeFocused();
  await expect(page.getByRole('button', { name: 'Compare' })).toBeFocused();
});

test('the wheel zooms to the pointer and results keep zoom and position', async ({ page, server: _ }) => {
  await openScene(page);
  const box = (await page.getByTestId('canvas').boundingBox())!;
  await page.mouse.move(box.x + 300, box.y + 200);
  await page.mouse.wheel(0, -400);
  const zoom = page.getByRole('group', { name: 'Zoom' });
  const shown = await zoom.innerText();
  expect(shown).not.toMatch(/200 %/u);
  await runToEnd(page);
  expect(await zoom.innerText()).toBe(shown);
  await page.getByRole('button', { name: 'Fit' }).click();
  await expect(zoom).toContainText('200 %');
});

test('a border to grow shows where it will be, and the source keeps its place in the comparison', async ({ page, server }) => {
  await openScene(page, 320, 240);
  await page.getByRole('spinbutton', { name: 'Left' }).fill('100');
  await page.getByRole('spinbutton', { name: 'Top' }).fill('60');
  const planned = await canvasShot(page);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  expect(server.requests.at(-1)).toMatchObject({ task: 'expand', margins: { left: 100, top: 60, right: 0, bottom: 0 } });
  expect(await canvasShot(page)).not.toBe(planned);
  await page.getByRole('button', { name: 'Compare' }).click();
  expect(await canvasShot(page)).toBe(planned);
});

test('keeping a result can be undone and redone, with the mask that was there', async ({ page, server: _ }) => {
  await openScene(page);
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await page.getByTestId('main-button').hover();
  const masked = await canvasShot(page);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Keep' }).click();
  await expectPhase(page, 'ready');
  const kept = await canvasShot(page);
  await page.getByRole('button', { name: 'Undo' }).click();
  expect(await canvasShot(page)).toBe(masked);
  await page.getByRole('button', { name: 'Redo' }).click();
  expect(await canvasShot(page)).toBe(kept);
});

test('a TIFF that the browser cannot draw is shown all the same', async ({ page, server: _ }) => {
  await openFile(
    page,
    'scene.tiff',
    await sharp(await scenePng(320, 240))
      .tiff({ compression: 'lzw' })
      .toBuffer(),
  );
  await expectPhase(page, 'ready');
  await openScene(page);
  await expect(page.locator('header')).toContainText('scene.png');
  await page.mouse.move(0, 0);
  const fromPng = await canvasShot(page);
  // The row of tabs takes some of the picture's room: both are looked at beside it.
  await page.getByTestId('tab').filter({ hasText: 'scene.tiff' }).click();
  await expect(page.locator('header')).toContainText('scene.tiff');
  await page.mouse.move(0, 0);
  await expect.poll(() => canvasShot(page)).toBe(fromPng);
});

test('a photo can be dropped and pasted', async ({ page, server }) => {
  const bytes = [...(await scenePng(64, 48))];
  for (const type of ['drop', 'paste']) {
    await page.evaluate(
      ([kind, data]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(data)], `${kind}.png`, { type: 'image/png' }));
        const event =
          kind === 'drop' ? new DragEvent('drop', { dataTransfer: transfer }) : new ClipboardEvent('paste', { clipboardData: transfer });
        window.dispatchEvent(event);
      },
      [type, bytes] as const,
    );
    await expect(page.locator('header')).toContainText(`${type}.png`);
  }
  expect(server.uploads.map(({ name }) => name)).toEqual(['drop.png', 'paste.png']);
});

for (const format of ['png', 'jpeg', 'webp', 'tiff'] as const) {
  test(`saving as ${format} downloads a file of that kind and of the picture's size`, async ({ page, server: _ }) => {
    await openScene(page, 120, 90);
    await page.keyboard.press('Control+s');
    await page.getByRole('combobox', { name: 'Format' }).selectOption(format);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save', exact: true }).click()]);
    expect(download.suggestedFilename()).toBe(`scene.${format === 'jpeg' ? 'jpg' : format}`);
    expect(await sharp(await download.path()).metadata()).toMatchObject({ format, width: 120, height: 90 });
  });
}

test('without wished motion nothing moves', async ({ page, server }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openScene(page);
  server.script.holdBefore = 2;
  await say(page, 'make it night');
  await page.getByTestId('main-button').click();
  await expect(page.getByRole('status')).toHaveText('Scale 1 of 6');
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  await expect.poll(() => page.evaluate(() => document.getAnimations().length)).toBeGreaterThan(0);
});
