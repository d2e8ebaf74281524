import { readFile } from 'node:fs/promises';
import { expect, type Page } from '@playwright/test';
import { test as windowAlone } from './support/fake-window.js';
import { edit, expectPhase, test } from './support/studio.js';

// A busy machine draws for a while.
test.slow();

const SCENES = ['Red car', 'House at sunset', 'Tree and star'] as const;
const instruction = (page: Page) => page.getByRole('textbox', { name: /Instruction|Anweisung/u });
const hint = async (page: Page) => (await instruction(page).getAttribute('placeholder')) ?? '';
const exampleIn = (placeholder: string) => placeholder.replace(/^[^:]*: /u, '');

test('the empty window offers what succeeds: a photo of one’s own, and three scenes', async ({ studio: { page } }) => {
  const offered = await page.locator('.empty button').allInnerTexts();
  expect(offered.map((text) => text.trim())).toEqual(['Open a photo', ...SCENES]);
});

for (const scene of SCENES) {
  test(`what is proposed for “${scene}” can be done`, async ({ studio: { page } }) => {
    await page.getByRole('button', { name: scene }).click();
    await expectPhase(page, 'ready');
    await edit(page, exampleIn(await hint(page)));
    await expect(page.getByText(/^Done in/u)).toContainText(/[1-9][\d,]* pixels changed/u);
    await expect(page.getByText('Nothing was found to change')).toBeHidden();
  });
}

test('for a photo of one’s own only light and colour are proposed', async ({ studio: { page, openScene } }) => {
  const { config } = JSON.parse(await readFile('models/studio/card.json', 'utf8')) as {
    config: { transformer: { text: { photoExamples: readonly string[] } } };
  };
  const { photoExamples } = config.transformer.text;
  await openScene();
  expect(photoExamples).toContain(exampleIn(await hint(page)));
  await instruction(page).fill('make the zeppelin red');
  await expect(page.getByTestId('examples').getByRole('button')).toHaveText([...photoExamples]);
});

test.describe('in German', () => {
  test.use({ locale: 'de-CH' });

  test('the example is German and can be done, and a third language is answered', async ({ studio: { page, openScene } }) => {
    const languages = page.getByText('Dieses Modell versteht Deutsch und Englisch.');
    await openScene();
    expect(await hint(page)).toBe('Zum Beispiel: mach es wärmer');
    await instruction(page).fill('rends la voiture rouge');
    await expect(languages).toBeVisible();
    await instruction(page).fill(exampleIn(await hint(page)));
    await expect(languages).toBeHidden();
    await instruction(page).press('Enter');
    await expectPhase(page, 'done', 60_000);
    await expect(page.getByText(/^Fertig in .*[1-9][\d.]* Pixel geändert/u)).toBeVisible();
  });
});

windowAlone('a model that draws from words alone is offered an empty sheet', async ({ page, server }) => {
  const fresh = page.getByRole('button', { name: 'New picture from words' });
  await expect(fresh).toBeHidden();
  server.seesSource = false;
  await page.reload();
  await fresh.click();
  await expectPhase(page, 'ready');
  await expect(page.getByTestId('main-button')).toContainText('Generate');
});
