import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/** Windows has no such flag. */
export const NO_FOLLOW = process.platform === 'win32' ? 0 : constants.O_NOFOLLOW;

/** How a JSON file from outside is bounded before a schema sees it. */
export interface JsonLimits {
  readonly maxBytes: number;
  /** Nesting of lists and objects; deeper files are attacks on recursion, not data. */
  readonly maxDepth: number;
  /** A file of ours alone: a link in its place is somebody else's doing and is not followed. */
  readonly ownFile?: boolean;
}

/** Reads a bounded UTF-8 JSON file; anything unfit throws an `Error` whose message is one sentence about `label`. */
export async function readJsonFile(path: string, label: string, limits: JsonLimits): Promise<unknown> {
  const text = await readBoundedText(path, label, limits);
  return parseBoundedJson(text, label, limits.maxDepth);
}

/** `JSON.parse` that refuses deep nesting and keys that reach for prototypes. */
export function parseBoundedJson(text: string, label: string, maxDepth: number): unknown {
  if (nestingOf(text) > maxDepth) throw new Error(`Expected at most ${String(maxDepth)} nested levels for ${label} but received more.`);
  try {
    return JSON.parse(text, refusePrototypeKeys) as unknown;
  } catch (cause) {
    throw new Error(`Expected JSON for ${label} but received something else.`, { cause });
  }
}

async function readBoundedText(path: string, label: string, { maxBytes, ownFile = false }: JsonLimits): Promise<string> {
  const handle = await openRegularFile(path, label, ownFile ? NO_FOLLOW : 0);
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) throw new Error(`Expected at most ${String(maxBytes)} bytes for ${label} but received ${String(size)}.`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function openRegularFile(path: string, label: string, flags: number): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | flags);
  } catch (cause) {
    throw new Error(`Expected a readable file for ${label} but it could not be opened (${errnoOf(cause)}).`, { cause });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`Expected a regular file for ${label} but received something else.`);
}

/** The system's short name of a failure, such as `ENOENT`. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason';
}

function refusePrototypeKeys(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new Error('Expected plain keys but received "__proto__".');
  return value;
}

/** The deepest nesting of brackets outside strings; counted before parsing because parsing with a reviver recurses. */
function nestingOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === '"') at = endOfString(text, at);
    else if (letter === '[' || letter === '{') deepest = Math.max(deepest, ++depth);
    else if (letter === ']' || letter === '}') depth--;
  }
  return deepest;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
