import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { Preferences } from '#contract/preferences.js';
import { errnoOf } from '#packs/json-file.js';
import { userDataFolder } from '#packs/places.js';
import { readFile } from 'node:fs/promises';
import { shownName } from '#service/names.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where a farm's Redis and store are. */
export interface FarmAddress {
  /** With its secret: never printed. */
  readonly url: URL;
  /** The folder of blobs and results that all machines share. */
  readonly store: string;
}

const MOST_BYTES = 4096;
/** Group and others. */
const FOREIGN_BITS = 0o077;

/**
 * The environment goes before what the user prefers. The address carries a secret, so it comes from the environment or from
 * a file that only its owner reads, never from arguments.
 *
 * @throws ExpectedError `farm.unreachable` where none is set (details: set = false), `farm.unsafe` for a file that others may read.
 */
export async function farmAddress(environment: Environment, preferred: Preferences['farm']): Promise<FarmAddress> {
  const said = environment['SCALEBRUSH_FARM'] ?? '';
  const from = said === '' ? (preferred?.file ?? '') : said;
  if (from === '') {
    throw new ExpectedError('farm.unreachable', 'Expected a farm in SCALEBRUSH_FARM but none is set.', { details: { set: false } });
  }
  const chosen = environment['SCALEBRUSH_FARM_STORE'] ?? '';
  const store = chosen === '' ? (preferred?.store ?? '') : chosen;
  return { url: urlOf(isAddress(from) ? from : await readSecret(from)), store: store === '' ? ownStore(environment) : store };
}

/** Host and port, without user and secret. */
export function shownAddress({ url }: FarmAddress): string {
  return `${url.protocol}//${url.host}`;
}

function ownStore(environment: Environment): string {
  return join(userDataFolder(environment, process.platform), 'farm');
}

function isAddress(text: string): boolean {
  return /^rediss?:\/\//u.test(text);
}

function urlOf(text: string): URL {
  const url = isAddress(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.hostname !== '' && /^\/?\d*$/u.test(url.pathname) && url.search === '') return url;
  // The text may hold a secret: it is not repeated.
  throw new ExpectedError(
    'farm.unreachable',
    'Expected redis://HOST:PORT or rediss://HOST:PORT for SCALEBRUSH_FARM but received something else.',
  );
}

async function readSecret(file: string): Promise<string> {
  const facts = await stat(file).catch((cause: unknown) => {
    const sentence = `Expected an address or a file for SCALEBRUSH_FARM but ${shownName(file)} could not be read (${errnoOf(cause)}).`;
    throw new ExpectedError('farm.unreachable', sentence, { cause });
  });
  if (!facts.isFile() || facts.size > MOST_BYTES)
    throw new ExpectedError('farm.unreachable', `Expected a small file for SCALEBRUSH_FARM but ${shownName(file)} is none.`);
  if (process.platform !== 'win32' && (facts.mode & FOREIGN_BITS) !== 0) {
    const mode = (facts.mode & 0o777).toString(8);
    throw new ExpectedError('farm.unsafe', `Expected mode 600 for ${shownName(file)}, which holds a secret, but it has ${mode}.`, {
      details: { setting: 'file' },
    });
  }
  return (await readFile(file, 'utf8')).trim();
}
