import sharp from 'sharp';
import type { Extent } from '#base/geometry.js';
import type { FloatTensor } from '../tensor/tensor.js';
import type { Photo } from './photo.js';

/** Interleaved 8-bit sRGB of `[1, 3, H, W]` in 0..1. */
export function bytesOfTensor(picture: FloatTensor): Uint8Array {
  const [, channels = 3, height = 0, width = 0] = picture.dims;
  const pixels = height * width;
  const bytes = new Uint8Array(pixels * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) {
      const value = picture.data[channel * pixels + i]!;
      bytes[i * channels + channel] = Math.round(Math.min(1, Math.max(0, value)) * 255);
    }
  }
  return bytes;
}

/** The model's picture as a photo of its own, at `size` where one is given. */
export async function photoOfTensor(picture: FloatTensor, size?: Extent): Promise<Photo> {
  const [, , height = 0, width = 0] = picture.dims;
  const bytes = bytesOfTensor(picture);
  const photo: Photo = { extent: { width, height }, channels: 3, samples: bytes, format: 'png', notices: [] };
  if (!size) return photo;
  const raw = { raw: { width, height, channels: 3 as const } };
  const samples = await sharp(bytes, raw).resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer();
  return { ...photo, extent: size, samples: new Uint8Array(samples) };
}
