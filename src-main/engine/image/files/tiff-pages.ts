import { Directories, fieldOf, viewOf, type Directory } from './directory.js';

const NEW_SUBFILE_TYPE = 254;
const SUBFILE_TYPE = 255;
/** Bits of the new type: a smaller copy of another page, and one that is a transparency mask. */
const [REDUCED, MASK] = [1, 4];
/** The old type of a smaller copy. */
const OLD_REDUCED = 2;
/** Where a directory's place is written: in the header, at which byte and in how many. */
const FIRST = { at: 4, big: 8 } as const;

export interface Pages {
  /** The file as its full picture comes first: itself, where it does. */
  readonly file: Uint8Array;
  /** A smaller copy stands in front of it. */
  readonly skipped: boolean;
  /** There are pages behind it. */
  readonly more: boolean;
}

/**
 * Finds the picture that a TIFF is about: the first page that is not marked as a smaller copy or a mask of another one
 * (TIFF 6.0, NewSubfileType), the first of all where every page is.
 */
export function pagesOf(file: Uint8Array): Pages {
  const directories = Directories.of(file);
  const first = directories?.open(directories.first);
  if (!directories || !first) return { file, skipped: false, more: false };
  let page: Directory | undefined = first;
  while (page && isSmaller(directories, page)) page = page.next === 0 ? undefined : directories.open(page.next);
  if (!page || page === first) return { file, skipped: false, more: first.next !== 0 };
  return { file: beginningAt(file, page.at), skipped: true, more: page.next !== 0 };
}

function isSmaller(directories: Directories, page: Directory): boolean {
  const [kind, old] = [NEW_SUBFILE_TYPE, SUBFILE_TYPE].map((tag) => {
    const field = fieldOf(page, tag);
    return field ? directories.numbers(field, 1)[0] : undefined;
  });
  return kind === undefined ? old === OLD_REDUCED : (kind & (REDUCED | MASK)) !== 0;
}

/** A copy whose header names another first directory. */
function beginningAt(file: Uint8Array, at: number): Uint8Array {
  const copy = new Uint8Array(file);
  const view = viewOf(copy);
  const little = copy[0] === 0x49;
  if (view.getUint16(2, little) === 43) view.setBigUint64(FIRST.big, BigInt(at), little);
  else view.setUint32(FIRST.at, at, little);
  return copy;
}
