/** What a tap of the space bar works on by itself. */
const TAPPED = 'button, summary, select, input[type="checkbox"], input[type="radio"]';
/** Where the space bar writes. */
const TYPED = 'textarea, input:not([type="checkbox"], [type="radio"], [type="range"]), [contenteditable="true"]';

/** The space bar moves the picture wherever the focus is, outside a field; tapped alone, it presses what has the focus. */
export class HeldSpace {
  readonly #onhold: () => void;
  readonly #onrelease: () => void;
  #held = false;
  #used = false;

  constructor(onhold: () => void, onrelease: () => void) {
    this.#onhold = onhold;
    this.#onrelease = onrelease;
  }

  get held(): boolean {
    return this.#held;
  }

  /** The picture was moved: the key was no press of a button. */
  use(): void {
    this.#used = true;
  }

  press(event: KeyboardEvent): void {
    if (event.key !== ' ' || event.ctrlKey || event.metaKey || event.altKey || isElsewhere(event.target)) return;
    event.preventDefault();
    if (event.repeat || this.#held) return;
    this.#held = true;
    this.#used = false;
    this.#onhold();
  }

  lift(event: KeyboardEvent): void {
    if (event.key !== ' ' || !this.#held) return;
    event.preventDefault();
    const { target } = event;
    const tapped = !this.#used && target instanceof HTMLElement && target.matches(TAPPED);
    this.letGo();
    if (tapped) press(target);
  }

  letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#onrelease();
  }
}

function press(target: HTMLElement): void {
  if (!(target instanceof HTMLSelectElement)) target.click();
  // Without a key or a click just before, a browser opens no list.
  else if (navigator.userActivation.isActive) target.showPicker();
}

function isElsewhere(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.matches(TYPED) || target.closest('dialog[open], [popover]:popover-open') !== null);
}
