import { expect } from '@playwright/test';
import { candidatesOf, test } from '../support/studio.js';

test('3 branch: four pictures from scale 5 on share the tokens before it and differ behind it', async ({ studio }) => {
  const { page } = studio;
  await studio.openScene();
  await page.getByRole('textbox', { name: 'Instruction' }).fill('make it night');
  const [first] = await candidatesOf(page, () => page.getByTestId('main-button').click());
  await page.getByRole('button', { name: 'Scale 5 of 8' }).click();
  const branches = await candidatesOf(page, () => page.getByRole('button', { name: 'Re-roll from scale 5' }).click());
  await expect(page.getByTestId('candidate')).toHaveCount(4);
  const coarse = branches.map(({ tokens }) => JSON.stringify(tokens.tokens.slice(0, 4)));
  expect(coarse).toEqual(Array.from({ length: 4 }, () => JSON.stringify(first?.tokens.tokens.slice(0, 4))));
  const fine = branches.map(({ tokens }) => JSON.stringify(tokens.tokens.slice(4)));
  expect(new Set([...fine, JSON.stringify(first?.tokens.tokens.slice(4))]).size).toBe(5);
});
