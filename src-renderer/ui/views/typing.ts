import { worksWhileTyping, type Action } from '#document/keys.js';

/** Words are written there. */
export function isTyping({ target }: Event): boolean {
  if (target instanceof HTMLInputElement) return !['range', 'radio', 'checkbox'].includes(target.type);
  return target instanceof HTMLTextAreaElement;
}

function hasWords({ target }: Event): boolean {
  return !(target instanceof HTMLTextAreaElement) || target.value !== '';
}

/** Where words are typed, keys are letters, and undo is the field's own as long as it holds any; letters also look for an entry of a list. */
export function isTaken(event: KeyboardEvent, chord: string, action: Action): boolean {
  const types = isTyping(event);
  if (types && (action === 'undo' || action === 'redo')) return hasWords(event);
  return (types || event.target instanceof HTMLSelectElement) && !worksWhileTyping(chord);
}
