import type { Extent } from '#base/geometry.js';
import type { Notice } from '#contract/event.js';
import type { OutputFormat } from '#contract/request.js';
import type { PngChunk } from './png-chunks.js';

/**
 * A decoded photograph: upright, at full resolution, in its own colour profile and bit depth.
 * Samples that no edit touches are written back exactly as they stand here.
 */
export interface Photo {
  readonly extent: Extent;
  /** 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha; interleaved. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly samples: Uint8Array | Uint16Array;
  readonly icc?: Uint8Array;
  /** Raw EXIF block with orientation already reset to 1. */
  readonly exif?: Uint8Array;
  /** Of a PNG, where other programs wrote them. */
  readonly texts?: readonly PngChunk[];
  readonly format: OutputFormat;
  readonly notices: readonly Notice[];
}

/** The largest value that a sample can have. */
export function fullScale(samples: Photo['samples']): number {
  return samples.BYTES_PER_ELEMENT === 2 ? 65535 : 255;
}

/** One sample per pixel, 0 = keep, 255 = repaint; values between are soft edge. */
export interface Mask {
  readonly extent: Extent;
  readonly values: Uint8Array;
}
