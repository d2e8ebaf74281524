import sharp, { type Sharp } from 'sharp';
import { sameExtent } from '#base/geometry.js';
import { adaptedExtent, type Adaptation } from '#contract/adaptation.js';
import type { FileRecipe } from '#contract/recipe.js';
import { openPhoto } from './decode.js';
import { eightBit, encodePhoto, type OutputSettings } from './encode.js';
import type { Photo } from './photo.js';

/** Radius (sigma, in pixels) and strength of what lies between flat and jagged: paper swallows more than a screen. */
const SHARPEN = { screen: { sigma: 0.6, m1: 0.5, m2: 1.5 }, print: { sigma: 1, m1: 0.5, m2: 3 } } as const;

/** A photo as a file, made ready for where it will be seen. */
export async function writePhoto(photo: Photo, output: OutputSettings, recipe?: FileRecipe): Promise<Uint8Array> {
  return encodePhoto(output.adapt ? await adapted(photo, output.adapt) : photo, output, recipe);
}

/** A photo made ready for where it will be seen: in another colour profile, smaller, sharpened, in this order. Never larger. */
export async function adapted(photo: Photo, { profile, longSide, sharpen }: Adaptation): Promise<Photo> {
  const inProfile = profile ? await converted(photo, profile) : photo;
  const small = longSide === undefined ? inProfile : await shrunk(inProfile, longSide);
  return sharpen ? sharpened(small, sharpen) : small;
}

/** Through 16 bits, so that no gradient tears. Gray stays in the profile that it has. */
async function converted(photo: Photo, profile: NonNullable<Adaptation['profile']>): Promise<Photo> {
  if (photo.channels <= 2) return photo;
  const { extra: _extra, ...plain } = photo;
  const png = await encodePhoto(sixteenBit(plain), { format: 'png', quality: 100 });
  const there = await sharp(png, { limitInputPixels: false })
    .withIccProfile(profile)
    .toColourspace('rgb16')
    .png({ compressionLevel: 1 })
    .toBuffer();
  const { samples, icc, channels } = await openPhoto(there);
  const { codePoints: _named, ...rest } = plain;
  const deep = { ...rest, samples, channels, ...(icc && { icc }) };
  return photo.samples.BYTES_PER_ELEMENT === 1 ? eightBit(deep) : deep;
}

function sixteenBit(photo: Photo): Photo {
  if (photo.samples.BYTES_PER_ELEMENT === 2) return photo;
  return { ...photo, samples: Uint16Array.from(photo.samples, (value) => value * 257) };
}

async function shrunk(photo: Photo, longSide: number): Promise<Photo> {
  const size = adaptedExtent(photo.extent, { longSide });
  if (sameExtent(size, photo.extent)) return photo;
  return worked(photo, (picture) => picture.resize({ ...size, fit: 'fill', kernel: 'lanczos3' }));
}

function sharpened(photo: Photo, how: NonNullable<Adaptation['sharpen']>): Promise<Photo> {
  return worked(photo, (picture) => picture.sharpen(SHARPEN[how]));
}

async function worked(photo: Photo, work: (picture: Sharp) => Sharp): Promise<Photo> {
  const { extra: _extra, ...plain } = photo;
  const { samples, channels } = sixteenBit(photo);
  const picture = work(sharp(samples, { raw: { ...photo.extent, channels }, limitInputPixels: false }));
  const { data, info } = await picture
    .toColourspace(channels <= 2 ? 'grey16' : 'rgb16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const deep: Photo = {
    ...plain,
    extent: { width: info.width, height: info.height },
    channels: info.channels,
    samples: new Uint16Array(data.buffer, data.byteOffset, data.length / 2),
  };
  return photo.samples.BYTES_PER_ELEMENT === 1 ? eightBit(deep) : deep;
}
