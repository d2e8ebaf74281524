import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** Both colours in both sizes. */
export const LOOKS = (['dark', 'light'] as const).flatMap((colorScheme) =>
  [
    { width: 1440, height: 900 },
    { width: 1024, height: 700 },
  ].map((viewport) => ({ name: `${colorScheme} at ${viewport.width} × ${viewport.height}`, colorScheme, viewport })),
);

/** What axe finds, with its elements. */
export async function violations(page: Page): Promise<readonly string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** Controls that reach beyond the window or beyond their panel. */
export function spills(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('header, header *, aside, aside *, footer, section, dialog[open], dialog[open] *')]
      .filter((element) => element.checkVisibility())
      .filter(
        ({ scrollWidth, clientWidth, tagName }) =>
          clientWidth > 0 && scrollWidth > clientWidth + 1 && !['INPUT', 'TEXTAREA'].includes(tagName),
      )
      .filter((element) => !['ellipsis', 'clip'].includes(getComputedStyle(element).textOverflow) || element.tagName === 'SMALL')
      .map(({ tagName, className }) => `${tagName}.${className}`),
  );
}
