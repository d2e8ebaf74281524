import sharp from 'sharp';
import type { Extent, Rect } from '#base/geometry.js';

/** A rendered landscape with soft gradients and a hard-edged disc: every pixel of it is ours. */
export function renderScene(width: number, height: number): Uint8Array {
  const pixels = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ground = y > height * 0.55;
      const disc = (x - width * 0.4) ** 2 + (y - height * 0.6) ** 2 < (Math.min(width, height) * 0.18) ** 2;
      const wave = 12 * Math.sin(x / 7) * Math.cos(y / 5);
      const [r, g, b] = disc ? [205, 40, 35] : ground ? [88 + wave, 150 + wave, 66] : [110 + (60 * y) / height, 165, 235 - wave];
      pixels.set([r, g, b], (y * width + x) * 3);
    }
  }
  return pixels;
}

export async function scenePng(width: number, height: number): Promise<Uint8Array> {
  return new Uint8Array(
    await sharp(renderScene(width, height), { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

/** White rectangle on black. */
export async function maskPng({ width, height }: Extent, box: Rect): Promise<Uint8Array> {
  const pixels = new Uint8Array(width * height);
  for (let y = box.y; y < box.y + box.height; y++) pixels.fill(255, y * width + box.x, y * width + box.x + box.width);
  return new Uint8Array(
    await sharp(pixels, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer(),
  );
}

/** Interleaved RGB samples of an encoded picture. */
export async function rgbOf(picture: Uint8Array): Promise<{ width: number; height: number; samples: Uint8Array }> {
  const { data, info } = await sharp(picture).removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, samples: new Uint8Array(data) };
}
