import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { LOOKS, spills, violations } from './support/looks.js';
import { test } from './support/masks.js';
import { expectPhase, stroke } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const queued = (page: Page) => page.getByTestId('queued').locator('.name');
const words = (page: Page) => page.getByRole('textbox', { name: 'Instruction' });

/** A run that is on until it is let go, and others behind it. */
async function queueUp(page: Page, ...instructions: readonly string[]): Promise<void> {
  for (const instruction of instructions) {
    await words(page).fill(instruction);
    await words(page).press('Enter');
  }
}

test('a run that is asked for during a run has its turn behind it, with the words that it was asked with', async ({ page, server }) => {
  server.script.holdBefore = 2;
  await queueUp(page, 'make the car red', 'make the car blue');
  await expectPhase(page, 'running');
  await expect(page.getByTestId('queue-run')).toHaveText(/^Then: Edit/u);
  await words(page).fill('make it night');
  await page.getByTestId('queue-run').click();
  await expect(queued(page)).toHaveText(['Edit “make the car blue”', 'Edit “make it night”']);
  await page.getByRole('button', { name: 'To the front: Edit “make it night”' }).click();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByTestId('queue').getByRole('status')).toHaveText('Paused: 2 runs wait');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  server.script.holdBefore = undefined;
  await page.getByTestId('queue').getByRole('button', { name: 'Go on' }).click();
  // Only the run that was on is cancelled: the next has its turn.
  await page.getByRole('button', { name: 'To the back: Edit “make it night”' }).click();
  await expect(queued(page)).toHaveText(['Edit “make the car blue”', 'Edit “make it night”']);
  server.release();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('queue')).toBeHidden();
  await expect(page.getByTestId('candidate')).toHaveCount(3);
  expect(server.requests.map(({ instruction }) => instruction)).toEqual(['make the car red', 'make the car blue', 'make it night']);
  await expect(words(page)).toHaveValue('make it night');
});

test('the same wish again draws another; one is cancelled, and Cancel cancels all', async ({ page, server }) => {
  server.script.holdBefore = 2;
  await queueUp(page, 'make the car red', 'make the car red', 'make it night');
  await page.getByRole('button', { name: 'Cancel: Edit “make it night”' }).click();
  await expect(queued(page)).toHaveText(['Edit “make the car red”']);
  server.script.holdBefore = undefined;
  server.release();
  await expectPhase(page, 'done');
  expect(server.requests.map(({ seed }) => seed)).toEqual([0, 1]);
  server.script.holdBefore = 2;
  await queueUp(page, 'make it warmer', 'make the house red');
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await expectPhase(page, 'done');
  await expect(page.getByTestId('queue')).toBeHidden();
  expect(server.requests).toHaveLength(3);
});

test('strokes of the brush that removes wait among them, and what failed waits until it is tried again', async ({ page, server }) => {
  server.script.holdBefore = 2;
  await queueUp(page, 'make the car red');
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await stroke(page, [0.45, 0.4], [0.55, 0.4]);
  await expect(queued(page)).toHaveText(['Remove']);
  server.script.holdBefore = undefined;
  server.script.failBefore = { scale: 2, code: 'memory.too-little', message: 'Expected more memory.' };
  server.release();
  await expectPhase(page, 'failed');
  await expect(queued(page)).toHaveText(['Remove']);
  server.script.failBefore = undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('queue')).toBeHidden();
  await expect(page.getByTestId('history-step')).toHaveCount(3);
});

test('another document is opened: what runs and what waits stays with its own, which says so, and goes on there', async ({
  page,
  server,
}) => {
  await expect(page.locator('header > .name')).toHaveText('scene.png');
  server.script.holdBefore = 2;
  await queueUp(page, 'make the car red', 'make the car blue');
  await expect(queued(page)).toHaveText(['Edit “make the car blue”']);
  await expectPhase(page, 'running');
  const buffer = Buffer.from(await scenePng(120, 90));
  await page.getByTestId('file-input').setInputFiles({ name: 'other.png', mimeType: 'image/png', buffer });
  await expect(page.locator('header > .name')).toHaveText('other.png');
  await expectPhase(page, 'ready');
  await expect(queued(page)).toHaveCount(0);
  await expect(page.getByTestId('queue').getByRole('button', { name: 'scene.png: 2 runs wait' })).toBeVisible();
  await expect(page.getByText('The runs of the other document wait with it')).toBeVisible();
  await expect(page.getByTestId('tab-runs')).toHaveText('2');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  server.script.holdBefore = undefined;
  server.release();
  await page.getByTestId('tab').first().click();
  await expect(page.locator('header > .name')).toHaveText('scene.png');
  await expectPhase(page, 'done');
  await expect(page.getByTestId('candidate')).toHaveCount(2);
  await expect(page.getByTestId('tab-runs')).toHaveCount(0);
  expect(server.requests.map(({ instruction }) => instruction)).toEqual(['make the car red', 'make the car red', 'make the car blue']);
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('the queue fits', async ({ page, server }) => {
      server.script.holdBefore = 2;
      await queueUp(page, 'make the car red', 'make the car blue and the house red and the car night', 'make it night');
      await expect(queued(page)).toHaveCount(2);
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
