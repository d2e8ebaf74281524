import type { FileKind } from '../file-kind.js';
import { slimAvif } from './avif.js';
import { slimGif } from './gif.js';
import { slimJpeg } from './jpeg.js';
import { FEW_PIXELS_BYTES, Parts } from './parts.js';
import { slimPng } from './png.js';
import type { Source } from './source.js';
import { slimTiff } from './tiff.js';
import { slimWebp } from './webp.js';

/** A file that costs a reader no more than its pixels do. */
export interface Slim {
  readonly bytes: Uint8Array;
  /** Metadata that would be kept were it smaller is not in it. */
  readonly leftOut: boolean;
}

/** By kind: how a file is taken apart. `fewPixels`: the facts are wanted, not the pixels. */
const SLIM: Readonly<Record<FileKind, (source: Source, fewPixels: boolean) => Parts>> = {
  png: slimPng,
  jpeg: slimJpeg,
  webp: slimWebp,
  tiff: slimTiff,
  avif: slimAvif,
  gif: slimGif,
  bmp: slimBmp,
};

/**
 * The same file without metadata that is larger than any that is real: decoders copy what a file holds beside its pixels, several
 * times, and refuse the whole of it where that is too much.
 */
export function slimmed(kind: FileKind, source: Source, fewPixels = false): Slim {
  const parts = SLIM[kind](source, fewPixels);
  if (parts.whole && !fewPixels) return { bytes: source.bytes(0, source.length), leftOut: false };
  return { bytes: parts.from(source), leftOut: parts.leftOut };
}

/** Nothing but pixels. */
function slimBmp({ length }: Source, fewPixels: boolean): Parts {
  const parts = new Parts();
  parts.keepOnly([{ from: 0, to: fewPixels ? Math.min(length, FEW_PIXELS_BYTES) : length }], length);
  return parts;
}
