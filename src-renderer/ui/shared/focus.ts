const FOCUSABLE = 'a[href], button, input, select, textarea, summary, [tabindex]';

/** Moves the focus as the Tab key would have, for those who use that key otherwise. */
export function focusAfter(element: HTMLElement): void {
  const all = [...document.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(isReachable);
  const next = element === document.body ? firstBehind(lastClicked(), all) : all[(all.indexOf(element) + 1) % all.length];
  (next ?? all[0])?.focus();
}

/** A click on text takes the focus to the body, but Tab goes on from that text. */
function lastClicked(): Node {
  return document.getSelection()?.anchorNode ?? document.body;
}

function firstBehind(place: Node, elements: readonly HTMLElement[]): HTMLElement | undefined {
  return elements.find((element) => place.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
}

function isReachable(element: HTMLElement): boolean {
  // Of a group of radios, Tab reaches the chosen one only.
  const skipped = element.matches(':disabled, [type="radio"]:not(:checked)');
  return element.tabIndex >= 0 && !skipped && element.checkVisibility({ visibilityProperty: true });
}
