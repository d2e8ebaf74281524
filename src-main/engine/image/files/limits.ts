import type { Extent } from '#base/geometry.js';
import type { SavedKind } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import type { OutputFormat } from '#contract/request.js';

interface Limit {
  readonly name: string;
  readonly side: number;
}

/** The longest side that a format, or its encoder, can write. */
const LIMITS: Readonly<Partial<Record<SavedKind, Limit>>> = {
  layers: { name: 'Photoshop', side: 30_000 },
  jpeg: { name: 'JPEG', side: 65_500 },
  webp: { name: 'WebP', side: 16_383 },
  avif: { name: 'AVIF', side: 16_384 },
};

/** The longest side that this can have; undefined where the picture stays below it. */
export function exceededSide(kind: SavedKind, { width, height }: Extent): number | undefined {
  const side = LIMITS[kind]?.side ?? Infinity;
  return Math.max(width, height) > side ? side : undefined;
}

/** Asked before the work begins. Throws `output.too-large`. */
export function expectWithinLimits(format: OutputFormat, { width, height }: Extent): void {
  const limit = LIMITS[format];
  if (!limit || Math.max(width, height) <= limit.side) return;
  const received = `${String(width)}×${String(height)}`;
  throw new ExpectedError(
    'output.too-large',
    `Expected at most ${String(limit.side)} pixels per side for ${limit.name} but received ${received}; PNG and TIFF hold it.`,
    { details: { format, limit: limit.side, received } },
  );
}
