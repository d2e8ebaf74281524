import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** Both colours and both sizes, each once: a colour moves nothing, and a size has no contrast. */
export const LOOKS = (
  [
    { colorScheme: 'dark', viewport: { width: 1440, height: 900 } },
    { colorScheme: 'light', viewport: { width: 1024, height: 700 } },
  ] as const
).map((look) => ({ name: `${look.colorScheme} at ${look.viewport.width} × ${look.viewport.height}`, ...look }));

/** What axe finds, with its elements. */
export async function violations(page: Page): Promise<readonly string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

/** What is too small to be met: less than 24 pixels wide or high, its label counted in. */
export function smallTargets(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const LEAST_PX = 24;
    const targets = [...document.querySelectorAll<HTMLElement>('button, input, select, summary, textarea')].filter((each) =>
      each.checkVisibility({ visibilityProperty: true }),
    );
    return targets.flatMap((each) => {
      const { width, height } = (each.closest('label') ?? each).getBoundingClientRect();
      const isSmall = width > 0 && (width < LEAST_PX || height < LEAST_PX);
      return isSmall ? [`${each.getAttribute('aria-label') ?? (each.textContent.trim() || each.outerHTML)}: ${width} × ${height}`] : [];
    });
  });
}

/**
 * What reaches beyond the window, or is cut by its panel without a way to scroll there, and words that are longer than
 * their place without an ellipsis. The footer is there to be scrolled.
 */
export function spills(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const SLACK = 1;
    const named = (element: Element) =>
      `${element.tagName}.${element.getAttribute('class') ?? ''} ${element.textContent.trim().slice(0, 30)}`;
    const style = (element: Element) => getComputedStyle(element);
    const scrolls = (element: Element) => element.matches('footer') || ['auto', 'scroll'].includes(style(element).overflowX);

    /** The nearest place that cuts the element off, or the window. */
    const boxAround = (element: Element): { readonly left: number; readonly right: number } => {
      for (let at = element.parentElement; at; at = at.parentElement) {
        if (at.matches('footer, dialog, [popover]') || style(at).overflowX !== 'visible') return at.getBoundingClientRect();
      }
      return { left: 0, right: window.innerWidth };
    };
    const isCut = (element: Element): boolean => {
      if (element.closest('footer')) return false;
      const { left, right } = element.getBoundingClientRect();
      const around = boxAround(element);
      const within = Math.min(window.innerWidth, around.right) + SLACK;
      return left < Math.max(0, around.left) - SLACK || right > within;
    };
    const isTooLong = (element: Element): boolean =>
      element.clientWidth > 0 &&
      element.scrollWidth > element.clientWidth + SLACK &&
      style(element).textOverflow !== 'ellipsis' &&
      !scrolls(element);
    /** Words that wrapped where there is room for one line. */
    const isTooHigh = (element: Element): boolean =>
      element.matches('button, summary') && element.clientHeight > 0 && element.scrollHeight > element.clientHeight + SLACK;
    /** A panel is scrolled up and down, never sideways. */
    const isWide = (element: Element): boolean =>
      scrolls(element) && !element.matches('footer') && element.scrollWidth > element.clientWidth + SLACK;

    /** A list shows its choice, and an empty field its hint: what is cut off there no other check sees. */
    const isCutInside = (element: Element): boolean => {
      const isList = element instanceof HTMLSelectElement;
      const words = isList
        ? element.selectedOptions[0]?.text
        : element instanceof HTMLInputElement && element.value === '' && element.placeholder;
      const context = document.createElement('canvas').getContext('2d');
      if (!words || !context || style(element).textOverflow === 'ellipsis') return false;
      const { font, paddingLeft, paddingRight } = style(element);
      context.font = font;
      // Chromium's arrows of a list and of a number stand beside the words.
      const ARROW_PX = isList || element.getAttribute('type') === 'number' ? 16 : 0;
      const room = element.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - ARROW_PX;
      return context.measureText(words).width > room + SLACK;
    };

    const seen = (selector: string) =>
      [...document.querySelectorAll(selector)].filter(
        (element) => element.checkVisibility() && !element.closest('.visually-hidden') && style(element).clipPath === 'none',
      );
    const places = 'header, aside, footer, section, main, dialog[open], [popover]:popover-open';
    const all = seen(places.split(', ').flatMap((place) => [place, `${place} *`]).join(', ')); // prettier-ignore
    const controls = seen('button, input, select, textarea, summary, a');
    const spilt = [
      ...controls.filter((element) => isCut(element) || isCutInside(element) || isTooHigh(element)),
      ...all.filter(
        (element) => !element.matches('input, textarea, select, canvas, option, svg *') && (isTooLong(element) || isWide(element)),
      ),
    ];
    return [...new Set(spilt.map(named))];
  });
}
