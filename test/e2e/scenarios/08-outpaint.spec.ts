import { expect, type Page } from '@playwright/test';
import { rgbOf } from '../../support/pictures.js';
import { canvasShot, expectPhase, saved, test } from '../support/studio.js';

const SIZE = { width: 320, height: 240 } as const;
/** What makes 320 × 240 as wide as 16:9. */
const WIDE = 427;
const SIDE = 'Pull the border: Right';
/** Handles lie this far from the border that they pull, in screen pixels. */
const OUT = 14;

type Picture = Awaited<ReturnType<typeof rgbOf>>;

async function pullByMouse(page: Page): Promise<void> {
  const [left, right] = await Promise.all(
    ['Pull the border: Left', SIDE].map(async (name) => (await page.getByRole('slider', { name }).boundingBox())!),
  );
  const zoom = (right!.x - left!.x - 2 * OUT) / SIZE.width;
  const [x, y] = [right!.x + right!.width / 2, right!.y + right!.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + (WIDE - SIZE.width) * zoom, y, { steps: 8 });
  await page.mouse.up();
}

async function pullByKeys(page: Page): Promise<void> {
  await page.getByRole('slider', { name: SIDE }).focus();
  for (let step = 0; step < 6; step++) await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('spinbutton', { name: 'Right' })).toHaveValue('96');
  await page.getByRole('spinbutton', { name: 'Right' }).fill(String(WIDE - SIZE.width));
}

function differingOldSamples(result: Picture, source: Picture): number {
  let differing = 0;
  for (let y = 0; y < SIZE.height; y++) {
    for (let x = 0; x < SIZE.width * 3; x++) {
      if (result.samples[y * WIDE * 3 + x] !== source.samples[y * SIZE.width * 3 + x]) differing += 1;
    }
  }
  return differing;
}

/** Mean difference between column `x` and the one before it. */
function columnStep({ width, height, samples }: Picture, x: number): number {
  let total = 0;
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < 3; c++) total += Math.abs(samples[(y * width + x) * 3 + c]! - samples[(y * width + x - 1) * 3 + c]!);
  }
  return total / (height * 3);
}

const BY_MOUSE = {
  pull: pullByMouse,
  run: (page: Page) => page.getByTestId('main-button').click(),
  undo: (page: Page) => page.getByRole('button', { name: 'Undo' }).click(),
};
const BY_KEYS = {
  pull: pullByKeys,
  run: (page: Page) => page.keyboard.press('ControlOrMeta+Enter'),
  undo: (page: Page) => page.keyboard.press('ControlOrMeta+z'),
};

for (const { how, pull, run, undo, softEdge } of [
  { how: 'by mouse, with the soft edge that is chosen', ...BY_MOUSE, softEdge: '' },
  { how: 'by keys, with a hard edge', ...BY_KEYS, softEdge: '0' },
]) {
  test(`8 outpaint: the right border grows to 16:9, no seam shows, old pixels stay, and it can be undone: ${how}`, async ({ studio }) => {
    const { page } = studio;
    await studio.openScene(SIZE.width, SIZE.height);
    const source = await rgbOf(await saved(page, 'png'));
    await pull(page);
    await expect(page.getByRole('banner')).toContainText(`${WIDE} × ${SIZE.height}`);
    const before = await canvasShot(page);
    await page.getByRole('spinbutton', { name: 'Soft edge, px' }).fill(softEdge);
    await run(page);
    await expectPhase(page, 'done');
    const result = await rgbOf(await saved(page, 'png'));
    expect([result.width, result.height]).toEqual([WIDE, SIZE.height]);
    expect(differingOldSamples(result, source)).toBe(0);

    const interior = Array.from({ length: SIZE.width - 1 }, (_, i) => columnStep(source, i + 1)).sort((a, b) => a - b);
    const allowed = interior[Math.floor(0.95 * interior.length)]!;
    // The columns behind the seam too: a step must not merely have moved.
    for (let x = SIZE.width; x < SIZE.width + 16; x++) expect(columnStep(result, x)).toBeLessThanOrEqual(allowed);

    await undo(page);
    await expectPhase(page, 'ready');
    await expect.poll(async () => (await canvasShot(page)) === before).toBe(true);
  });
}
