import { getContext, setContext } from 'svelte';

/** A label with the key that does the same: "Brush (B)". */
export type KeyHint = (label: string, action: string) => string;

const KEY = Symbol('key hint');

/** For everything below the component that says it. */
export function provideKeyHint(hint: KeyHint): void {
  setContext(KEY, hint);
}

/** Where nobody knows the keys, a label alone. */
export function keyHint(): KeyHint {
  return getContext<KeyHint | undefined>(KEY) ?? ((label) => label);
}
