import sharp from 'sharp';

export interface RawPicture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly samples: Uint8Array | Uint16Array;
  readonly icc: Uint8Array | undefined;
  readonly orientation: number | undefined;
}

/**
 * A picture's samples in its own profile, upright, by a path that shares nothing with the product's
 * own decoder: what the product claims about untouched pixels is checked against this.
 */
export async function rawPicture(file: string | Uint8Array): Promise<RawPicture> {
  const metadata = await sharp(file).metadata();
  const deep = metadata.depth === 'ushort';
  const pipeline = sharp(file).autoOrient().keepIccProfile();
  if (deep) pipeline.pipelineColourspace('rgb16').toColourspace('rgb16');
  const { data, info } = await pipeline.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
  return {
    width: info.width,
    height: info.height,
    channels: info.channels,
    samples: deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : new Uint8Array(data),
    icc: metadata.icc && new Uint8Array(metadata.icc),
    orientation: metadata.orientation,
  };
}

/** Pixels that differ although `mayDiffer` says they must not. Colours are compared channel by channel; an added opaque alpha is no difference. */
export function differingPixels(a: RawPicture, b: RawPicture, mayDiffer: (x: number, y: number) => boolean): number {
  let count = 0;
  for (let y = 0; y < a.height; y++) {
    for (let x = 0; x < a.width; x++) {
      if (!mayDiffer(x, y) && !samePixel(a, b, y * a.width + x)) count += 1;
    }
  }
  return count;
}

function samePixel(a: RawPicture, b: RawPicture, pixel: number): boolean {
  const channels = Math.min(a.channels, b.channels);
  for (let c = 0; c < channels; c++) {
    if (a.samples[pixel * a.channels + c] !== b.samples[pixel * b.channels + c]) return false;
  }
  return true;
}
