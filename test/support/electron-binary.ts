import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The real binary where it was downloaded, else the double: real Chromium, the built main module and preload script. */
export function electronBinary(root: string): { readonly file: string; readonly isReal: boolean } {
  const marker = path.join(root, 'node_modules/electron/path.txt');
  if (!existsSync(marker)) return { file: path.resolve('test/desktop/double/electron'), isReal: false };
  return { file: path.join(root, 'node_modules/electron/dist', readFileSync(marker, 'utf8').trim()), isReal: true };
}
