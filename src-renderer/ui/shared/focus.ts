const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [tabindex]';

/** Moves the focus as the Tab key would have, for those who use that key otherwise. */
export function focusAfter(element: HTMLElement): void {
  const all = [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(isReachable);
  const next = all[(all.indexOf(element) + 1) % all.length];
  next?.focus();
}

function isReachable(element: HTMLElement): boolean {
  return element.tabIndex >= 0 && !element.matches(':disabled') && element.checkVisibility({ visibilityProperty: true });
}
