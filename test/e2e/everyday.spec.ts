import type { Page } from '@playwright/test';
import { expect } from '@playwright/test';
import sharp from 'sharp';
import { scenePng } from '../support/pictures.js';
import { smallTargets } from './support/looks.js';
import { canvasShot, edit, expectPhase, openBytes, stroke, test } from './support/studio.js';

/** Several files at once, as a drop gives them. */
async function drop(page: Page, files: readonly { readonly name: string; readonly bytes: Buffer }[]): Promise<void> {
  const said = files.map(({ name, bytes }) => ({ name, base64: bytes.toString('base64') }));
  await page.evaluate((all) => {
    const dataTransfer = new DataTransfer();
    for (const { name, base64 } of all) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], name, { type: 'image/png' }));
    }
    window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }));
  }, said);
}

async function scenes(...names: readonly string[]) {
  const bytes = await scenePng(96, 64);
  return names.map((name) => ({ name, bytes: Buffer.from(bytes) }));
}

/** Many starts of the program, each of which loads its model. */
test.slow();

test('a picture that is moved far away stays in sight', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByTestId('canvas').focus();
  for (const arrow of ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp']) {
    for (let i = 0; i < 40; i++) await page.keyboard.press(`Shift+${arrow}`);
    const coloured = await page.getByTestId('canvas').evaluate(async (canvas: HTMLCanvasElement) => {
      await new Promise(requestAnimationFrame);
      await new Promise(requestAnimationFrame);
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let i = 3; i < data.length; i += 4) if (data[i]! > 0) count++;
      return count;
    });
    expect(coloured, arrow).toBeGreaterThan(1000);
  }
});

test('a photograph that is cut off says so when it is opened', async ({ studio: { page } }) => {
  const whole = await sharp(await scenePng(400, 300))
    .jpeg()
    .toBuffer();
  await openBytes(page, 'cut.jpg', whole.subarray(0, whole.length / 2));
  await expectPhase(page, 'ready');
  await expect(page.getByText('The file is damaged')).toBeVisible();
});

test('several files open as documents, the others in reach, or as a batch', async ({ studio: { page } }) => {
  await drop(page, await scenes('one.png', 'two.png', 'three.png'));
  const many = page.getByRole('dialog', { name: '3 pictures' });
  await many.getByRole('button', { name: 'Open each' }).click();
  await expect(page.locator('header > .name')).toHaveText('three.png', { timeout: 30_000 });
  await page.getByRole('button', { name: 'Recent' }).click();
  await expect(page.getByRole('dialog', { name: 'Recent' })).toContainText(/two\.png.*one\.png/su);
  await page.keyboard.press('Escape');
  await drop(page, await scenes('four.png', 'five.png'));
  await page.getByRole('dialog', { name: '2 pictures' }).getByRole('button', { name: 'The same for all…' }).click();
  await expect(page.getByTestId('batch-entry')).toHaveText([/five\.png/u, /four\.png/u]);
});

test('Esc leaves a batch at work in sight, and from outside its progress is seen', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warmer');
  await drop(page, await scenes('one.png', 'two.png', 'three.png'));
  await page.getByRole('button', { name: 'The same for all…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Many pictures at once' });
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/stream/edit.run', async (route) => {
    await held;
    await route.continue();
  });
  await dialog.getByRole('button', { name: 'Start' }).click();
  await expect(dialog.getByRole('button', { name: 'Pause' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeVisible();
  await dialog.getByRole('button', { name: 'Go on working' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByTestId('batch-chip')).toContainText('0 of 3 pictures');
  release();
  await expect(page.getByTestId('batch-chip')).toContainText('3 of 3 pictures', { timeout: 60_000 });
  await page.getByTestId('batch-chip').click();
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByTestId('batch-chip')).toBeHidden();
});

test('what is let go of while the journal is written stays until it is', async ({ studio: { page, openScene } }) => {
  await openScene();
  const refused: string[] = [];
  page.on('response', (response) => {
    if (response.status() >= 400) refused.push(response.url());
  });
  await stroke(page, [0.4, 0.5], [0.6, 0.5]);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'done');
  await page.getByRole('button', { name: 'Another', exact: true }).first().click();
  await expect(page.getByTestId('candidate')).toHaveCount(2, { timeout: 30_000 });
  // The journal is on its way when the other variant goes.
  const release: (() => void)[] = [];
  await page.route('**/api/call/journal.write', async (route) => {
    await new Promise<void>((resolve) => release.push(resolve));
    await route.continue();
  });
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it warm');
  await expect.poll(() => release.length).toBe(1);
  await page.getByRole('button', { name: 'Keep', exact: true }).click();
  await expectPhase(page, 'ready');
  release[0]!();
  await expect.poll(() => release.length).toBe(2);
  release[1]!();
  await page.unrouteAll({ behavior: 'wait' });
  expect(refused).toEqual([]);
});

test('a wish of colours alone says that it has one answer', async ({ studio: { page, openScene } }) => {
  await openScene();
  await edit(page, 'make it black and white');
  await page.getByRole('button', { name: 'Another', exact: true }).first().click();
  await expect(page.getByText('which has one answer')).toBeVisible();
  await expect(page.getByTestId('candidate')).toHaveCount(0);
  await expectPhase(page, 'done');
});

test('one tool is pressed at a time', async ({ studio: { page, openScene } }) => {
  await openScene();
  // How an outline is combined with the mask is chosen in a group of its own.
  const pressed = () => page.locator('.tools [aria-pressed="true"]:not([role="group"] *)').count();
  for (const name of ['Lasso', 'Eraser', 'Polygon', 'Brush', 'Eraser', 'Select similar']) {
    await page.getByRole('region', { name: 'Mask tools' }).getByRole('button', { name, exact: true }).click();
    expect(await pressed(), name).toBe(1);
  }
});

test('similar pixels are selected beside the window’s own thread, one click after the other', async ({ studio: { page, openScene } }) => {
  await openScene(1600, 1200);
  const before = await canvasShot(page);
  await page.getByRole('button', { name: 'Select similar', exact: true }).click();
  await stroke(page, [0.5, 0.2], [0.5, 0.2]);
  await stroke(page, [0.5, 0.7], [0.5, 0.7]);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
  expect(await canvasShot(page)).not.toBe(before);
});

test('an object is selected by a click, another is added, and Alt takes it away; each is a step back', async ({
  studio: { page, openScene },
}) => {
  await openScene(640, 480);
  test.setTimeout(300_000);
  const canvas = page.getByTestId('canvas');
  const clear = page.getByRole('button', { name: 'Clear mask' });
  const shots = [await canvasShot(page)];
  const settled = async (): Promise<void> => {
    // However long it takes.
    await expect(canvas).toHaveAttribute('aria-busy', 'false', { timeout: 90_000 });
    shots.push(await canvasShot(page));
  };
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('q');
  await expect(page.getByRole('button', { name: 'Select object', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await stroke(page, [0.5, 0.35], [0.5, 0.35]);
  await settled();
  await expect(clear).toBeEnabled();
  await stroke(page, [0.3, 0.55], [0.7, 0.9]);
  await settled();
  expect(new Set(shots).size).toBe(3);
  await page.keyboard.press('ControlOrMeta+z');
  expect(await canvasShot(page)).toBe(shots[1]);
  await page.keyboard.down('Alt');
  await stroke(page, [0.5, 0.35], [0.5, 0.35]);
  await page.keyboard.up('Alt');
  await settled();
  await expect(clear).toBeDisabled();
});

for (const language of ['en', 'de']) {
  test(`every button without words says what it does, and every target is large enough: ${language}`, async ({
    studio: { page, openScene },
  }) => {
    await openScene();
    await edit(page, 'make it night');
    await page.keyboard.press('Control+,');
    await page.getByRole('combobox', { name: /Language/u }).selectOption(language);
    await page.keyboard.press('Escape');
    await expect(page.locator('html')).toHaveAttribute('lang', language);
    const found = await page.evaluate(() => {
      const seen = [...document.querySelectorAll<HTMLElement>('.studio button, .studio input, .studio select, .studio summary')].filter(
        (each) => each.checkVisibility({ visibilityProperty: true }),
      );
      const named = (each: HTMLElement) => each.getAttribute('aria-label') ?? (each.textContent.trim() || each.outerHTML);
      const silent = seen.filter((each) => each.matches('button') && each.innerText.trim() === '' && each.title === '');
      return silent.map(named);
    });
    expect(found).toEqual([]);
    expect(await smallTargets(page)).toEqual([]);
    await page.getByRole('button', { name: language === 'en' ? 'Discard' : 'Verwerfen', exact: true }).click();
    await page.getByRole('button', { name: language === 'en' ? 'Mask…' : 'Maske…' }).click();
    expect(await smallTargets(page)).toEqual([]);
  });
}

test('tools and deeds show their keys', async ({ studio: { page, openScene } }) => {
  await openScene();
  await edit(page, 'make it night');
  const titles = await page.locator('.studio button[title]').evaluateAll((all) => all.map((each) => each.getAttribute('title') ?? ''));
  for (const key of [
    '(B)',
    '(E)',
    '(L)',
    '(P)',
    '(R)',
    '(O)',
    '(W)',
    '(Q)',
    '(J)',
    '(X)',
    '(K)',
    '(A)',
    '(Delete)',
    '(Ctrl 0)',
    '(Ctrl S)',
    '(Ctrl Z)',
    '(H)',
  ])
    expect(
      titles.some((title) => title.endsWith(key)),
      `${key} in ${titles.join()}`,
    ).toBe(true);
});

test('where the speeds differ by nothing one line says what all of them take', async ({ studio: { page, openScene } }) => {
  await openScene();
  await edit(page, 'make it night');
  await expect(page.getByTestId('alike')).toBeVisible();
  for (const radio of await page.getByRole('radiogroup', { name: 'Speed', exact: true }).getByRole('radio').all()) {
    await expect(radio).toBeVisible();
  }
  await expect(page.locator('small[id^="forecast-"]').first()).toHaveClass(/visually-hidden/u);
});
