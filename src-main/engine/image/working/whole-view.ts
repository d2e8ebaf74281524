import { createHash } from 'node:crypto';
import type { Extent, Rect } from '#base/geometry.js';
import { openAhead, openPhoto } from '#engine/image/files/decode.js';
import type { Photo, PhotoFacts } from '#engine/image/files/photo.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { frameWhole } from './frame.js';
import { paddedCopy } from './padded-copy.js';
import { workingCopy } from './working-copy.js';

/** All of a photo as a model sees it. */
export interface WholeView {
  readonly facts: PhotoFacts;
  /** In photo pixels: of the model's shape around the photo, or a square in whose corner it lies. */
  readonly frame: Rect;
  /** `[1, 3, H, W]` in 0..1 sRGB; many may look at it, nobody writes. */
  readonly picture: FloatTensor;
  /** The photo's own samples, decoded when first asked for. */
  readonly photo: () => Promise<Photo>;
}

export interface ViewShape {
  /** Of the model. */
  readonly size: Extent;
  /** As VAREdit's published code shows a photo to its model. */
  readonly padded?: boolean;
}

/** Two pictures at the largest published size; of the built-in pack's a hundred and more. */
const MOST_KEPT_BYTES = 32 * 1024 * 1024;

type Kept = Omit<WholeView, 'photo'>;

/** Views of the photos that were looked at last, by their bytes: a document is edited many times, and decoded for each anyway. */
export class KeptViews {
  readonly #views = new Map<string, Kept>();
  readonly #mostBytes: number;

  constructor(mostBytes = MOST_KEPT_BYTES) {
    this.#mostBytes = mostBytes;
  }

  get count(): number {
    return this.#views.size;
  }

  find(key: string): Kept | undefined {
    const kept = this.#views.get(key);
    if (kept) this.keep(key, kept);
    return kept;
  }

  keep(key: string, { facts, frame, picture }: Kept): void {
    this.#views.delete(key);
    this.#views.set(key, { facts, frame, picture });
    this.#forgetOldest();
  }

  #forgetOldest(): void {
    let bytes = 0;
    for (const { picture } of this.#views.values()) bytes += picture.data.byteLength;
    for (const [key, { picture }] of this.#views) {
      if (bytes <= this.#mostBytes) return;
      bytes -= picture.data.byteLength;
      this.#views.delete(key);
    }
  }
}

/**
 * What a model sees of a photo: the same whoever asks and whatever was asked before, so that tokens agree. From a smaller
 * decode where the file's decoder can make one. Throws as `openPhoto` does.
 */
export async function viewWhole(bytes: Uint8Array, shape: ViewShape, kept?: KeptViews): Promise<WholeView> {
  if (!kept) return makeView(bytes, shape);
  const key = keyOf(bytes, shape);
  const found = kept.find(key);
  if (found) return { ...found, photo: onDemand(() => openPhoto(bytes)) };
  const view = await makeView(bytes, shape);
  kept.keep(key, view);
  return view;
}

function keyOf(bytes: Uint8Array, { size, padded }: ViewShape): string {
  return `${createHash('sha256').update(bytes).digest('hex')} ${size.width}×${size.height} ${String(padded === true)}`;
}

async function makeView(bytes: Uint8Array, shape: ViewShape): Promise<WholeView> {
  const { size } = shape;
  const ahead = shape.padded ? undefined : await viewAhead(bytes, size);
  if (ahead) return ahead;
  const whole = await openPhoto(bytes);
  const { samples: _, extra: _extra, ...facts } = whole;
  const photo = () => Promise.resolve(whole);
  const side = Math.max(facts.extent.width, facts.extent.height);
  if (shape.padded) return { facts, frame: { x: 0, y: 0, width: side, height: side }, picture: await paddedCopy(whole, size), photo };
  const frame = frameWhole(facts.extent, size.width / size.height);
  return { facts, frame, picture: await workingCopy(whole, frame, size), photo };
}

/** From a smaller decode; which of them is looked at depends on the file alone. */
async function viewAhead(bytes: Uint8Array, size: Extent): Promise<WholeView | undefined> {
  const frameOf = (extent: Extent) => frameWhole(extent, size.width / size.height);
  const ahead = await openAhead(bytes, (extent) => shrinkFor(frameOf(extent).width / size.width));
  if (!ahead) return undefined;
  const { facts, small, whole } = ahead;
  const frame = frameOf(facts.extent);
  const [across, down] = [small.extent.width / facts.extent.width, small.extent.height / facts.extent.height];
  const seen = { x: frame.x * across, y: frame.y * down, width: frame.width * across, height: frame.height * down };
  return { facts, frame, picture: await workingCopy(small, seen, size), photo: onDemand(whole) };
}

/** What the decoders can do, and leaves at least two pixels per pixel of the model. */
function shrinkFor(scale: number): number {
  return [8, 4, 2].find((shrink) => scale >= 2 * shrink) ?? 1;
}

function onDemand<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
