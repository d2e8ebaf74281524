import { JsonScanner } from './json-scanner.js';
import { MAX_NAME_LENGTH, MAX_RANK, MAX_TENSORS } from './limits.js';
import { refused, shown } from './refusal.js';

/** One tensor as the header names it; offsets count from the end of the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

const METADATA_KEY = '__metadata__';
/** Training notes in the wild reach some megabytes. */
const MAX_METADATA_LENGTH = 16 * 2 ** 20;
const MAX_METADATA_ENTRIES = 10_000;
const MAX_WORD_LENGTH = 100;

/**
 * Reads the header's JSON by its own small grammar. `JSON.parse` will not do: it keeps the last of
 * two equal keys, rounds large numbers and builds whatever it is given.
 */
export function parseHeader(bytes: Buffer, label: string): Header {
  const scanner = new JsonScanner(bytes, `the header of ${label}`);
  const entries: HeaderEntry[] = [];
  let metadata: ReadonlyMap<string, string> = new Map();
  eachMember(scanner, MAX_NAME_LENGTH, (name) => {
    if (name === METADATA_KEY) {
      metadata = readMetadata(scanner);
      return;
    }
    if (entries.length >= MAX_TENSORS) throw refused(`Expected at most ${String(MAX_TENSORS)} tensors in ${label} but received more.`);
    entries.push(readEntry(scanner, name, label));
  });
  scanner.expectEnd();
  return { entries, metadata };
}

function readMetadata(scanner: JsonScanner): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  eachMember(scanner, MAX_NAME_LENGTH, (key) => {
    if (metadata.size >= MAX_METADATA_ENTRIES) throw scanner.complaint(`at most ${String(MAX_METADATA_ENTRIES)} metadata entries`, 'more');
    metadata.set(key, scanner.string(MAX_METADATA_LENGTH));
  });
  return metadata;
}

function readEntry(scanner: JsonScanner, name: string, label: string): HeaderEntry {
  let dtype: string | undefined;
  let shape: readonly number[] | undefined;
  let offsets: readonly number[] | undefined;
  eachMember(scanner, MAX_WORD_LENGTH, (field) => {
    if (field === 'dtype') dtype = scanner.string(MAX_WORD_LENGTH);
    else if (field === 'shape') shape = readIntegers(scanner, `the shape of ${shown(name)}`, MAX_RANK);
    else if (field === 'data_offsets') offsets = readIntegers(scanner, `the offsets of ${shown(name)}`, 2);
    else throw refused(`Expected only dtype, shape and data_offsets for ${shown(name)} in ${label} but received ${shown(field)}.`);
  });
  const [begin, end] = offsets ?? [];
  if (dtype === undefined) throw refused(`Expected a dtype for ${shown(name)} in ${label} but it is missing.`);
  if (shape === undefined) throw refused(`Expected a shape for ${shown(name)} in ${label} but it is missing.`);
  if (begin === undefined || end === undefined)
    throw refused(`Expected two data_offsets for ${shown(name)} in ${label} but they are missing.`);
  return { name, dtype, shape, begin, end };
}

function readIntegers(scanner: JsonScanner, what: string, most: number): readonly number[] {
  const values: number[] = [];
  scanner.expect('[');
  if (scanner.accept(']')) return values;
  do {
    if (values.length >= most) throw scanner.complaint(`at most ${String(most)} numbers for ${what}`, 'more');
    values.push(scanner.naturalNumber(what));
  } while (scanner.accept(','));
  scanner.expect(']');
  return values;
}

/** Calls `read` at the value of every member of an object; a key may come only once. */
function eachMember(scanner: JsonScanner, maxKeyLength: number, read: (key: string) => void): void {
  const seen = new Set<string>();
  scanner.expect('{');
  if (scanner.accept('}')) return;
  do {
    const key = scanner.string(maxKeyLength);
    if (key === '__proto__') throw scanner.complaint('ordinary names', '__proto__');
    if (seen.has(key)) throw scanner.complaint('every name once', `${shown(key)} twice`);
    seen.add(key);
    scanner.expect(':');
    read(key);
  } while (scanner.accept(','));
  scanner.expect('}');
}
