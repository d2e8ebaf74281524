import { messages } from '#ui/messages/messages.js';

/** A family that has no name in the user's language goes by its own. */
export function familyName(family: string): string {
  const names: Readonly<Record<string, string>> = messages.packs.families;
  return names[family] ?? family;
}
