import type { Extent } from '#base/geometry.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Photo } from './photo.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';

/** Interleaved 8-bit sRGB of `[1, 3, H, W]` in 0..1. */
export function bytesOfTensor({ dims, data }: FloatTensor): Uint8Array {
  const [, channels = 3, height = 0, width = 0] = dims;
  const pixels = height * width;
  // It rounds and clamps by itself, several times as fast.
  const bytes = new Uint8ClampedArray(pixels * channels);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0; i < pixels; i++) bytes[i * channels + channel] = data[channel * pixels + i]! * 255;
  }
  return new Uint8Array(bytes.buffer);
}

/** The model's picture as a photo of its own, at `size` where one is given. */
export function photoOfTensor(picture: FloatTensor, size?: Extent): Photo {
  const [, , height = 0, width = 0] = picture.dims;
  const sized = size ? resized(picture, size) : picture;
  return { extent: size ?? { width, height }, channels: 3, samples: bytesOfTensor(sized), format: 'png', notices: [] };
}

/** By our own kernels: the library's enlargement moves the picture by half a pixel of the result. */
function resized(picture: FloatTensor, { width, height }: Extent): FloatTensor {
  const result = floats([1, 3, height, width]);
  const frame = { x: 0, y: 0, width, height };
  const sampler = new FrameSampler(picture, { frame, region: frame, kernel: width < (picture.dims.at(-1) ?? 1) ? 'lanczos' : 'cubic' });
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      const start = (channel * height + y) * width;
      sampler.read(channel, y, result.data.subarray(start, start + width));
    }
  }
  return result;
}
