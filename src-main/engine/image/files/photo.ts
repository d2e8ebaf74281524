import type { Extent } from '#base/geometry.js';
import type { Notice } from '#contract/event.js';
import type { OutputFormat } from '#contract/request.js';
import type { PngChunk } from './png-chunks.js';

/** Pixels per inch. */
export interface Resolution {
  readonly x: number;
  readonly y: number;
  /** The file names no unit: the two tell the shape of a pixel and nothing else. */
  readonly shapeOnly?: true;
}

/** Channels that are neither colour nor transparency: saved selections, masks, spot colours. */
export interface ExtraChannels {
  readonly count: number;
  /** Interleaved, of the photo's own size and depth. */
  readonly samples: Uint8Array | Uint16Array;
}

/** How the samples of a file will lie in memory. */
export interface Layout {
  readonly channels: 1 | 2 | 3 | 4;
  readonly deep: boolean;
  /** Samples that aren't gray or RGB (CMYK, Lab) are converted to sRGB. */
  readonly convert: boolean;
}

/** How colours are named by code points (ITU-T H.273): primaries, transfer, matrix, full range. */
export type CodePoints = readonly [primaries: number, transfer: number, matrix: number, fullRange: number];

/**
 * What a file holds, decoded: a photograph, upright, at full resolution, in its own colour profile and bit depth, and all
 * that is to go on beside it. Samples that no edit touches are written back exactly as they stand here.
 */
export interface Photo {
  readonly extent: Extent;
  /** 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha; interleaved. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly samples: Uint8Array | Uint16Array;
  /** As it stands in the file, or one of the same meaning as the file's own naming of its colours. */
  readonly icc?: Uint8Array;
  /** Where the file named its colours so; a PNG can keep it. */
  readonly codePoints?: CodePoints;
  /** Raw EXIF block with orientation already reset to 1. */
  readonly exif?: Uint8Array;
  /** An XMP packet, true of the upright picture and without our recipe. */
  readonly xmp?: string;
  /** IPTC-IIM datasets. */
  readonly iptc?: Uint8Array;
  readonly resolution?: Resolution;
  readonly extra?: ExtraChannels;
  /** Of a PNG, where other programs wrote them. */
  readonly texts?: readonly PngChunk[];
  readonly format: OutputFormat;
  readonly notices: readonly Notice[];
}

/** What is known of a photograph before its samples are. */
export type PhotoFacts = Omit<Photo, 'samples' | 'extra'>;

/** The largest value that a sample can have. */
export function fullScale(samples: Photo['samples']): number {
  return samples.BYTES_PER_ELEMENT === 2 ? 65535 : 255;
}

const INCOMPLETE: ReadonlySet<Notice['code']> = new Set(['image.damaged', 'image.animated', 'image.smaller-page']);

/** Of a mask's or a map's file only what is missing of it is told: its depth, profile and metadata go nowhere. */
export function incompleteAs(role: 'mask' | 'map', { notices }: Photo): readonly Notice[] {
  const name = role === 'mask' ? 'Mask' : 'Map';
  return notices.flatMap(({ code, message }) =>
    INCOMPLETE.has(code) ? [{ code: `${role}.incomplete`, message: `${name}: ${message}` }] : [],
  );
}

/** One sample per pixel, 0 = keep, 255 = repaint; values between are soft edge. */
export interface Mask {
  readonly extent: Extent;
  readonly values: Uint8Array;
}
