import { rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { OWNER, ownerMark, verdictOn } from '#packs/owner.js';

/** Of pictures that are open, and of those that are dragged out of the desktop's window. */
const PREFIXES = { pictures: 'scalebrush-pictures-', drag: 'scalebrush-drag-' } as const;

export interface PrivateFolder {
  readonly path: string;
  /** Removes the folder now instead of at exit. */
  readonly remove: () => void;
}

/** A new folder that only this user can open (mkdtemp gives mode 700); it goes when the process does. */
export async function openPrivateFolder(parent: string = tmpdir(), use: keyof typeof PREFIXES = 'pictures'): Promise<PrivateFolder> {
  await sweepStaleFolders(parent);
  const path = await mkdtemp(join(parent, `${PREFIXES[use]}${ownerMark()}-`));
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(path, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { path, remove };
}

/** Removes what killed processes left behind; folders of other users and living processes stay. */
async function sweepStaleFolders(parent: string): Promise<void> {
  for (const entry of await readdir(parent).catch(() => [])) {
    if (!Object.values(PREFIXES).some((prefix) => entry.startsWith(prefix))) continue;
    const path = join(parent, entry);
    if (isLeft(entry) && (await isOurFolder(path))) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Earlier versions wrote the number alone. What another container made in a temporary folder that both see is left to it. */
function isLeft(entry: string): boolean {
  const mark = OWNER.exec(entry)?.[0];
  if (mark !== undefined) return verdictOn(mark) === 'dead';
  return verdictOn(/^scalebrush-pictures-(\d+)-/u.exec(entry)?.[1] ?? '') === 'dead';
}

async function isOurFolder(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isDirectory() !== true) return false;
  const { uid } = userInfo();
  return uid < 0 || facts.uid === uid;
}
