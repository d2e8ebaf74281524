import { rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'scalebrush-pictures-';

export interface PrivateFolder {
  readonly path: string;
  /** Removes the folder now instead of at exit. */
  readonly remove: () => void;
}

/** A new folder that only this user can open (mkdtemp gives mode 700); it goes when the process does. */
export async function openPrivateFolder(parent: string = tmpdir()): Promise<PrivateFolder> {
  await sweepStaleFolders(parent);
  const path = await mkdtemp(join(parent, `${PREFIX}${String(process.pid)}-`));
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
    const match = /^scalebrush-pictures-(\d+)-/u.exec(entry);
    if (match === null || isAlive(Number(match[1]))) continue;
    const path = join(parent, entry);
    if (await isOurFolder(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isOurFolder(path: string): Promise<boolean> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts?.isDirectory() !== true) return false;
  const { uid } = userInfo();
  return uid < 0 || facts.uid === uid;
}

/** Is there a process of this number? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to someone else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
