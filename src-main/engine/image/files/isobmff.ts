import { viewOf } from './directory.js';
import type { CodePoints } from './photo.js';

// The boxes of an AVIF (ISO/IEC 14496-12, 23008-12), as far as the decoder does not tell: how colours are named, whether
// they are multiplied by alpha, and which further pictures lie in the file.

export interface HeifFacts {
  readonly codePoints?: CodePoints;
  readonly premultiplied: boolean;
  readonly gainMap: boolean;
  /** It holds a film: beside its picture, or instead of one. */
  readonly film: 'beside' | 'only' | undefined;
}

interface Box {
  readonly type: string;
  readonly data: Uint8Array;
}

/** More boxes side by side than any encoder writes. */
const MOST_BOXES = 4096;
const NESTED = 4;

function boxesOf(bytes: Uint8Array, start = 0): readonly Box[] {
  const boxes: Box[] = [];
  const view = viewOf(bytes);
  for (let at = start; at + 8 <= bytes.length && boxes.length < MOST_BOXES;) {
    const short = view.getUint32(at);
    const large = short === 1 && at + 16 <= bytes.length;
    const size = large ? Number(view.getBigUint64(at + 8)) : short === 0 ? bytes.length - at : short;
    const head = large ? 16 : 8;
    if (size < head || at + size > bytes.length) break;
    boxes.push({ type: String.fromCharCode(...bytes.subarray(at + 4, at + 8)), data: bytes.subarray(at + head, at + size) });
    at += size;
  }
  return boxes;
}

function find(boxes: readonly Box[], type: string): Uint8Array | undefined {
  return boxes.find((box) => box.type === type)?.data;
}

export function heifFacts(file: Uint8Array): HeifFacts {
  const outer = boxesOf(file);
  const meta = find(outer, 'meta');
  const brands = Buffer.from(find(outer, 'ftyp') ?? []).toString('latin1');
  const film = !meta && brands.includes('avis') ? 'only' : find(outer, 'moov') ? 'beside' : undefined;
  const none = { premultiplied: false, gainMap: false, film } as const;
  if (!meta) return none;
  try {
    return { ...none, ...metaFacts(boxesOf(meta, NESTED)) };
  } catch (error) {
    // A box that is shorter than it should be: the decoder will say more of it.
    if (error instanceof RangeError) return none;
    throw error;
  }
}

/** The picture beside a film under the name of one: the decoder looks at no file whose first brand is a sequence's. */
export function stillOf(file: Uint8Array, { film }: HeifFacts): Uint8Array {
  if (film !== 'beside') return file;
  const still = Buffer.from(file);
  still.write('avif', MAJOR_BRAND, 'latin1');
  return still;
}

const MAJOR_BRAND = 8;

function metaFacts(meta: readonly Box[]): Omit<HeifFacts, 'film'> {
  const references = boxesOf(find(meta, 'iref') ?? new Uint8Array(), NESTED);
  const codePoints = codePointsOf(meta);
  return {
    ...(codePoints && { codePoints }),
    premultiplied: references.some(({ type }) => type === 'prem'),
    gainMap: itemTypes(find(meta, 'iinf')).includes('tmap') || Buffer.from(find(meta, 'iprp') ?? []).includes('hdrgainmap'),
  };
}

function itemTypes(iinf: Uint8Array | undefined): readonly string[] {
  if (!iinf || iinf.length < 6) return [];
  const entries = boxesOf(iinf, iinf[0] === 0 ? 6 : 8);
  return entries.map(({ data }) => Buffer.from(data.subarray(data[0] === 3 ? 10 : 8)).toString('latin1', 0, 4));
}

/** Of the primary item; of the file's only naming where it is not said whose it is. */
function codePointsOf(meta: readonly Box[]): CodePoints | undefined {
  const iprp = boxesOf(find(meta, 'iprp') ?? new Uint8Array());
  const properties = boxesOf(find(iprp, 'ipco') ?? new Uint8Array());
  const own = associations(find(iprp, 'ipma'), primaryItem(find(meta, 'pitm')));
  const named = properties.filter(({ type, data }, i) => type === 'colr' && isNclx(data) && (own?.has(i + 1) ?? true));
  const [colr] = named;
  if (!colr || colr.data.length < 11) return undefined;
  const view = viewOf(colr.data);
  return [view.getUint16(4), view.getUint16(6), view.getUint16(8), view.getUint8(10) >> 7];
}

function isNclx(data: Uint8Array): boolean {
  return Buffer.from(data).toString('latin1', 0, 4) === 'nclx';
}

function primaryItem(pitm: Uint8Array | undefined): number | undefined {
  if (!pitm) return undefined;
  return pitm[0] === 0 ? viewOf(pitm).getUint16(4) : viewOf(pitm).getUint32(4);
}

/** The numbers of an item's properties, from 1. */
function associations(ipma: Uint8Array | undefined, item: number | undefined): ReadonlySet<number> | undefined {
  if (!ipma || item === undefined) return undefined;
  const view = viewOf(ipma);
  const [wideItems, wideProperties] = [ipma[0]! > 0, (ipma[3]! & 1) === 1];
  let at = 8;
  for (let left = view.getUint32(4); left > 0; left--) {
    const id = wideItems ? view.getUint32(at) : view.getUint16(at);
    at += wideItems ? 4 : 2;
    const count = view.getUint8(at++);
    const width = wideProperties ? 2 : 1;
    if (id === item) {
      const number = (i: number) => (wideProperties ? view.getUint16(at + i * 2) & 0x7fff : view.getUint8(at + i) & 0x7f);
      return new Set(Array.from({ length: count }, (_, i) => number(i)));
    }
    at += count * width;
  }
  return undefined;
}
