import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';

/** For this user alone. */
export const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** A link in its place was planted: it goes, and what it leads to is left alone. A folder that others could read no longer is. */
export async function makePrivateFolder(folder: string): Promise<void> {
  const facts = await lstat(folder).catch(() => undefined);
  if (facts?.isSymbolicLink() === true) await unlink(folder);
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  await chmod(folder, PRIVATE_FOLDER);
}
