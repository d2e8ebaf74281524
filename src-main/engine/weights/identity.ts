import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';

import { ExpectedError } from '#contract/errors.js';

import type { FileIdentity } from './checkpoint.js';
import { refused, shown } from './refusal.js';

/**
 * Follows symlinks (a Hugging Face cache is made of them) and notes which file the path means now.
 *
 * @throws ExpectedError `weights.refused` where there is no regular file.
 */
export async function identify(path: string): Promise<FileIdentity> {
  try {
    const real = await realpath(path);
    return identityOf(real, await stat(real));
  } catch (error) {
    if (error instanceof ExpectedError) throw error;
    throw refused(`Expected a readable weights file at ${shown(path)} but received ${reasonOf(error)}.`, error);
  }
}

/** The identity in what `stat` said about `path`, a real path. */
export function identityOf(path: string, stats: Stats): FileIdentity {
  // A pipe would block the open, a device never ends.
  if (!stats.isFile()) throw refused(`Expected a regular file at ${shown(path)} but received a folder or device.`);
  return { path, device: stats.dev, inode: stats.ino, sizeBytes: stats.size, modifiedMs: stats.mtimeMs };
}

/**
 * Asked before each run: a mapped file that was cut kills the process, one that was overwritten changes the weights silently.
 *
 * @throws ExpectedError `weights.changed`
 */
export async function assertUnchanged(identity: FileIdentity): Promise<void> {
  const now = await stat(identity.path).catch((error: unknown) => {
    throw changed(identity, error);
  });
  if (!now.isFile() || !sameIdentity(identity, identityOf(identity.path, now))) throw changed(identity);
}

export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.path === b.path && a.device === b.device && a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedMs === b.modifiedMs;
}

export function changed(identity: FileIdentity, cause?: unknown): ExpectedError {
  const sentence = `Expected ${shown(basename(identity.path))} to be as it was when opened but the model file changed.`;
  return new ExpectedError('weights.changed', sentence, { cause });
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'an unknown error';
  return code === 'ENOENT' ? 'nothing (no such file)' : code;
}
