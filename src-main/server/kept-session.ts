import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NO_FOLLOW } from '#packs/json-file.js';
import { newSecret } from './access.js';

const SECRET = /^[\w-]{43}$/u;

/**
 * The secret of an earlier start with the same port, so that a page which is still open goes on by itself; a new one where
 * there is none, or where it may be somebody else's. Readable by this user alone.
 */
export async function keptSession(file: string): Promise<string> {
  const kept = await readOwn(file).catch(() => undefined);
  if (kept !== undefined) return kept;
  const secret = newSecret();
  await writeOwn(file, secret).catch(() => undefined);
  return secret;
}

async function readOwn(file: string): Promise<string | undefined> {
  const handle = await open(file, constants.O_RDONLY | NO_FOLLOW);
  try {
    const { mode, size } = await handle.stat();
    const isOurs = process.platform === 'win32' || (mode & 0o077) === 0;
    const text = isOurs && size < 100 ? (await handle.readFile('utf8')).trim() : '';
    return SECRET.test(text) ? text : undefined;
  } finally {
    await handle.close();
  }
}

async function writeOwn(file: string, secret: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | NO_FOLLOW, 0o600);
  try {
    await handle.chmod(0o600);
    await handle.writeFile(`${secret}\n`);
  } finally {
    await handle.close();
  }
}
