import { viewOf } from '../directory.js';
import { FEW_PIXELS_BYTES, MAX_METADATA_BYTES, Parts, type Stretch } from './parts.js';
import type { Source } from './source.js';

/** Bytes per item of a field, by type number; see `directory.ts`. */
const ITEM_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
/** Where the pixels lie and how many bytes they take: long lists, and no metadata. */
const PLACES = new Set([273, 279, 324, 325]);
/** Links to further directories: of the exposure, the place, interoperability, and smaller pictures. */
const LINKS = new Set([0x8769, 0x8825, 0xa005]);
const MOST_FIELDS = 1024;
/** Pages, and directories behind them. */
const MOST_DIRECTORIES = 64;

interface Entry {
  readonly at: number;
  readonly tag: number;
  readonly from: number;
  readonly bytes: number;
}

/** What was found of a file: what its facts need, and what is left out. */
interface Found {
  readonly facts: Stretch[];
  readonly giants: Stretch[];
  /** Directories as they are without the giants. */
  readonly directories: { readonly at: number; readonly bytes: Uint8Array }[];
}

interface Form {
  readonly little: boolean;
  readonly countBytes: number;
  readonly entryBytes: number;
  readonly wordBytes: number;
}

/** A TIFF without fields that hold more than any metadata does. All else stays where it is: what leads to it leads there still. */
export function slimTiff(source: Source, fewPixels: boolean): Parts {
  const form = formOf(source);
  const found: Found = { facts: [{ from: 0, to: Math.min(source.length, FEW_PIXELS_BYTES) }], giants: [], directories: [] };
  const parts = new Parts();
  if (form) walk(source, form, found);
  if (fewPixels && form) parts.keepOnly(found.facts, source.length);
  else parts.keepAllBut(found.giants, source.length);
  if (found.directories.length > 0) parts.drop(true);
  for (const { at, bytes } of found.directories) parts.patch(at, bytes);
  return parts;
}

function formOf(source: Source): Form | undefined {
  const little = source.u8(0) === 0x49;
  const big = source.u16(2, little) === 43;
  return source.length < 24 ? undefined : { little, countBytes: big ? 8 : 2, entryBytes: big ? 20 : 12, wordBytes: big ? 8 : 4 };
}

function word(source: Source, at: number, { wordBytes, little }: Form): number {
  return wordBytes === 8 ? source.u64(at, little) : source.u32(at, little);
}

function walk(source: Source, form: Form, found: Found): void {
  const queue = [word(source, form.wordBytes === 8 ? 8 : 4, form)];
  const seen = new Set<number>();
  for (let at = queue.shift(); at !== undefined && seen.size < MOST_DIRECTORIES; at = queue.shift()) {
    if (seen.has(at) || !(at >= 8 && at < source.length)) continue;
    seen.add(at);
    queue.push(...readDirectory(source, { at, form, found }));
  }
}

/** Gives the directories that it leads to. */
function readDirectory(source: Source, { at, form, found }: { at: number; form: Form; found: Found }): readonly number[] {
  const { countBytes, entryBytes, little } = form;
  const count = countBytes === 8 ? source.u64(at, little) : source.u16(at, little);
  const end = at + countBytes + count * entryBytes;
  if (!(count <= MOST_FIELDS && end + form.wordBytes <= source.length)) return [];
  const entries = Array.from({ length: count }, (_, i) => entryAt(source, at + countBytes + i * entryBytes, form));
  const giants = entries.filter(({ tag, bytes }) => bytes > MAX_METADATA_BYTES && !PLACES.has(tag));
  found.facts.push({ from: at, to: end + form.wordBytes });
  for (const entry of entries) {
    const extent = { from: entry.from, to: Math.min(source.length, entry.from + entry.bytes) };
    if (extent.to > extent.from) (giants.includes(entry) ? found.giants : found.facts).push(extent);
  }
  if (giants.length > 0) found.directories.push({ at, bytes: without(source, { at, end, form, giants }) });
  const links = entries.filter(({ tag }) => LINKS.has(tag)).map(({ from }) => word(source, from, form));
  return [...links, word(source, end, form)];
}

function entryAt(source: Source, at: number, form: Form): Entry {
  const { little, wordBytes } = form;
  const [tag, type] = [source.u16(at, little), source.u16(at + 2, little)];
  const bytes = word(source, at + 4, form) * (ITEM_BYTES[type] ?? 0);
  const place = at + 4 + wordBytes;
  return { at, tag, bytes, from: bytes <= wordBytes ? place : word(source, place, form) };
}

interface Directory {
  readonly at: number;
  readonly end: number;
  readonly form: Form;
  readonly giants: readonly Entry[];
}

/** The entries behind a giant move up, and so does the link to the next directory. */
function without(source: Source, { at, end, form, giants }: Directory): Uint8Array {
  const { countBytes, entryBytes, wordBytes, little } = form;
  const bytes = new Uint8Array(source.bytes(at, end + wordBytes - at));
  let length = bytes.length;
  for (const giant of giants.toReversed()) {
    const from = giant.at - at;
    bytes.copyWithin(from, from + entryBytes, length);
    length -= entryBytes;
  }
  bytes.fill(0, length);
  const count = (end - at - countBytes) / entryBytes - giants.length;
  if (countBytes === 8) viewOf(bytes).setBigUint64(0, BigInt(count), little);
  else viewOf(bytes).setUint16(0, count, little);
  return bytes;
}
