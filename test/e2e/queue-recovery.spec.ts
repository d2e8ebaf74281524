import { expect, type Page } from '@playwright/test';
import { scenePng } from '../support/pictures.js';
import { spills, violations } from './support/looks.js';
import { edit, expectKept, expectPhase, test } from './support/studio.js';

// A busy machine looks for a while.
test.slow();

const queue = (page: Page) => page.getByTestId('queue');
const name = (page: Page) => page.locator('header > .name');

async function ask(page: Page, instruction: string): Promise<void> {
  const words = page.getByRole('textbox', { name: 'Instruction' });
  await words.fill(instruction);
  await words.press('Enter');
}

async function expectPaused(page: Page): Promise<void> {
  await expect(queue(page).getByRole('status')).toHaveText('Paused: 2 runs wait', { timeout: 60_000 });
  await expect(page.getByTestId('queued').locator('.name')).toHaveText(['Edit “make it warmer”', 'Edit “make the car red”']);
}

test('runs that wait come back paused after a kill and a reload, each with its document, and are made when they are let go', async ({
  program,
}) => {
  const first = await program.start();
  await expectPhase(first.page, 'empty');
  const buffer = Buffer.from(await scenePng(120, 90));
  for (const file of ['a.png', 'b.png']) {
    await first.page.getByTestId('file-input').setInputFiles({ name: file, mimeType: 'image/png', buffer });
    await expect(name(first.page)).toHaveText(file);
    await expectPhase(first.page, 'ready');
  }
  await edit(first.page, 'make it night');
  // What is at work stays so, however fast the machine is.
  await first.page.route('**/api/stream/edit.run', () => undefined);
  await ask(first.page, 'make it warmer');
  await expectPhase(first.page, 'running');
  await ask(first.page, 'make the car red');
  await expect(first.page.getByTestId('queued')).toHaveCount(1);
  await expectKept(first.page);
  await first.kill();

  const { page } = await program.start();
  await expectPhase(page, 'done');
  await expectPaused(page);
  await expect(page.getByText('Runs that were not made yet wait here, paused')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);

  // Beside another document they are not lost either, and it says where they are.
  await page.getByTestId('tab').first().click();
  await expect(name(page)).toHaveText('a.png');
  await expect(page.getByTestId('tab-runs')).toHaveText('2');
  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('tab-runs')).toHaveText('2');
  expect(await violations(page)).toEqual([]);
  expect(await spills(page)).toEqual([]);
  await queue(page).getByRole('button', { name: 'b.png: 2 runs wait' }).click();
  await expect(name(page)).toHaveText('b.png');
  await expectPaused(page);

  await queue(page).getByRole('button', { name: 'Go on' }).click();
  await expect(queue(page)).toBeHidden({ timeout: 120_000 });
  await expectPhase(page, 'done');
  await expect(page.getByTestId('candidate')).toHaveCount(3);
  await expectKept(page);
  await page.reload();
  await expectPhase(page, 'done');
  await expect(queue(page)).toBeHidden();
});
