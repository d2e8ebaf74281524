import path from 'node:path';
import type { PackFile } from '#contract/pack-card.js';

/** Where a file of a pack lies: beside the card, or where it was opened in place. */
export function pathOf(folder: string, { name, at }: PackFile): string {
  return at?.path ?? path.join(folder, name);
}
