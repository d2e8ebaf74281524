import sharp from 'sharp';
import { renderScene } from './pictures.js';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const FORMATS = ['jpeg', 'png', 'webp', 'tiff', 'avif'] as const;
const EXTENSIONS = { jpeg: 'jpg', png: 'png', webp: 'webp', tiff: 'tif', avif: 'avif' } as const;

/** Twenty files as folders have them: all formats and shapes, one CMYK, one transparent, one 16-bit, one turned, and one broken. */
export async function mixedFolder(): Promise<readonly NamedFile[]> {
  const scene = (width: number, height: number) => sharp(renderScene(width, height), { raw: { width, height, channels: 3 } });
  const plain = Array.from({ length: 15 }, async (_, i) => {
    const format = FORMATS[i % FORMATS.length] ?? 'png';
    const [width, height] = [160 + 24 * (i % 4), 120 + 32 * (i % 3)];
    return {
      name: `picture-${String(i).padStart(2, '0')}.${EXTENSIONS[format]}`,
      bytes: await scene(width, height).toFormat(format).toBuffer(),
    };
  });
  const whole = await scene(240, 160).jpeg().toBuffer();
  return [
    ...(await Promise.all(plain)),
    { name: 'alpha.png', bytes: await scene(200, 150).ensureAlpha(0.5).png().toBuffer() },
    { name: 'broken.jpg', bytes: whole.subarray(0, 90) },
    { name: 'cmyk.jpg', bytes: await scene(200, 150).toColourspace('cmyk').jpeg().toBuffer() },
    { name: 'deep.png', bytes: await scene(180, 140).toColourspace('rgb16').png().toBuffer() },
    { name: 'turned.jpg', bytes: await scene(200, 150).withMetadata({ orientation: 6 }).jpeg().toBuffer() },
  ];
}
