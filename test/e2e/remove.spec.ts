import { expect, type Page } from '@playwright/test';
import { LOOKS, spills, violations } from './support/looks.js';
import { canvasShot, edit, expectPhase, stroke, test } from './support/studio.js';

const steps = (page: Page) => page.getByTestId('history-step');

/** The first fill of a program loads its model. */
async function expectSteps(page: Page, count: number): Promise<void> {
  await expect(steps(page)).toHaveCount(count, { timeout: 60_000 });
}

test.slow();

async function takeRemove(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
}

test('what the brush paints is filled when it is lifted, as a step that can be undone', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.mouse.move(0, 0);
  const before = await canvasShot(page);
  await takeRemove(page);
  await stroke(page, [0.48, 0.5], [0.52, 0.5]);
  await expectSteps(page, 2);
  await expectPhase(page, 'ready');
  await page.mouse.move(0, 0);
  expect(await canvasShot(page)).not.toBe(before);
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeDisabled();
  await page.keyboard.press('ControlOrMeta+z');
  await expect(steps(page).first()).toHaveAttribute('aria-current', 'step');
  await page.mouse.move(0, 0);
  expect(await canvasShot(page)).toBe(before);
  await page.keyboard.press('ControlOrMeta+Shift+z');
  await expect(steps(page).nth(1)).toHaveAttribute('aria-current', 'step');
});

test('the next stroke need not wait: it queues, and each is a step of its own', async ({ studio: { page, openScene } }) => {
  await openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  await page.getByTestId('canvas').focus();
  await page.keyboard.press('j');
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const wishes: { readonly task: string; readonly instruction: string }[] = [];
  await page.route('**/api/stream/edit.run', async (route) => {
    wishes.push(route.request().postDataJSON() as (typeof wishes)[number]);
    await held;
    await route.continue();
  });
  for (const y of [0.4, 0.5, 0.6]) await stroke(page, [0.48, y], [0.52, y]);
  await expectPhase(page, 'running');
  release();
  await expectSteps(page, 4);
  await expectPhase(page, 'ready');
  expect(wishes.map(({ task, instruction }) => [task, instruction])).toEqual(Array.from({ length: 3 }, () => ['fill', '']));
  await expect(page.getByRole('textbox', { name: 'Instruction' })).toHaveValue('make it night');
});

test('cancelling leaves the picture as it was, and nothing waits', async ({ studio: { page, openScene } }) => {
  await openScene();
  await takeRemove(page);
  let asked = 0;
  await page.route('**/api/stream/edit.run', () => {
    asked++;
  });
  for (const y of [0.45, 0.55]) await stroke(page, [0.48, y], [0.52, y]);
  await expect.poll(() => asked).toBe(1);
  await page.getByTestId('main-button').click();
  await expectPhase(page, 'ready');
  await expectSteps(page, 0);
  expect(asked).toBe(1);
});

test('a painted mask has no part in it and stays, and a result that waits is kept', async ({ studio: { page, openScene } }) => {
  await openScene();
  await edit(page, 'make it night');
  await takeRemove(page);
  await stroke(page, [0.48, 0.5], [0.52, 0.5]);
  await expectSteps(page, 3);
  await expectPhase(page, 'ready');
  await page.getByRole('button', { name: 'Brush', exact: true }).click();
  await stroke(page, [0.48, 0.4], [0.52, 0.4]);
  await takeRemove(page);
  await stroke(page, [0.48, 0.6], [0.52, 0.6]);
  await expectSteps(page, 4);
  await expectPhase(page, 'ready');
  await expect(page.getByRole('button', { name: 'Clear mask' })).toBeEnabled();
});

for (const { name, viewport, colorScheme } of LOOKS) {
  test.describe(name, () => {
    test.use({ viewport, colorScheme });

    test('the tools fit, in German too', async ({ studio: { page, openScene } }) => {
      await openScene();
      await page.keyboard.press('Control+,');
      await page.getByRole('combobox', { name: /Language/u }).selectOption('de');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Entfernen', exact: true }).click();
      expect(await violations(page)).toEqual([]);
      expect(await spills(page)).toEqual([]);
    });
  });
}
