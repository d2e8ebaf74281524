import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { TokenFile } from '#contract/request.js';
import { readJsonFile } from '#packs/json-file.js';
import { shownName } from '#service/names.js';

/** The finest published grid, 64 × 64 tokens of 32 bits over 13 scales, makes a file of less than 1 MB. */
const LIMITS = { maxBytes: 32 * 1024 * 1024, maxDepth: 8 } as const;

/** Reads a token file. Throws `tokens.invalid`. */
export async function readTokenFile(path: string): Promise<TokenFile> {
  const parsed = v.safeParse(TokenFile, await readRaw(path), { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new ExpectedError(
    'tokens.invalid',
    `Expected a token file for ${shownName(path)} but its ${v.getDotPath(issue) ?? 'content'} is wrong.`,
  );
}

async function readRaw(path: string): Promise<unknown> {
  try {
    return await readJsonFile(path, shownName(path), LIMITS);
  } catch (cause) {
    throw new ExpectedError('tokens.invalid', cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
