import { messages } from '#ui/messages/messages.js';

/** Where the user's language has no name of its own for a family, it goes by the one that its authors gave it. */
export function familyName({ family, familyTitle }: { readonly family: string; readonly familyTitle?: string | undefined }): string {
  const names: Readonly<Record<string, string>> = messages.packs.families;
  return names[family] ?? familyTitle ?? family;
}
