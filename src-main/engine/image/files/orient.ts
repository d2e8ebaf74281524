import type { Extent } from '#base/geometry.js';

type Samples = Uint8Array | Uint16Array;

/** Does this EXIF orientation lay the picture on its side? */
export function turns(orientation: number): boolean {
  return orientation >= 5 && orientation <= 8;
}

/** Interleaved samples stored under an EXIF orientation, upright. */
export function upright<T extends Samples>(samples: T, extent: Extent, orientation: number): { samples: T; extent: Extent } {
  if (!(orientation >= 2 && orientation <= 8)) return { samples, extent };
  const { width, height } = extent;
  const per = samples.length / (width * height);
  const size = turns(orientation) ? { width: height, height: width } : extent;
  const result = samples.slice() as T;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const [u, v] = storedPlace({ x, y }, extent, orientation);
      const [to, from] = [(y * size.width + x) * per, (v * width + u) * per];
      for (let c = 0; c < per; c++) result[to + c] = samples[from + c]!;
    }
  }
  return { samples: result, extent: size };
}

/** Where the pixel that belongs at an upright place is stored. */
function storedPlace({ x, y }: { x: number; y: number }, { width, height }: Extent, orientation: number): readonly [number, number] {
  const [across, down] = turns(orientation) ? [y, x] : [x, y];
  const fromRight = orientation === 2 || orientation === 3 || orientation === 7 || orientation === 8;
  const fromBottom = orientation === 3 || orientation === 4 || orientation === 6 || orientation === 7;
  return [fromRight ? width - 1 - across : across, fromBottom ? height - 1 - down : down];
}
