import sharp, { type Sharp } from 'sharp';
import { maskPng, renderScene } from './pictures.js';

function scene(width: number, height: number): Sharp {
  return sharp(renderScene(width, height), { raw: { width, height, channels: 3 } });
}

/** As a phone writes it: 4000×3000 lying on its side (orientation 6), Display P3, with tags and a place. */
export function phonePhoto(): Promise<Buffer> {
  return scene(400, 300)
    .resize(4000, 3000)
    .withIccProfile('p3')
    .withExif({ IFD0: { Make: 'Ours' }, IFD2: { UserComment: 'kept' }, IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '47/1 22/1 1234/100' } })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 92 })
    .toBuffer();
}

/** Of the upright phone photo, a part of its top. */
export function phoneMask(): Promise<Uint8Array> {
  return maskPng({ width: 3000, height: 4000 }, { x: 1000, y: 0, width: 800, height: 600 });
}

/** Beyond the mask and any soft edge of it nothing may change. */
export function isNearPhoneMask(x: number, y: number): boolean {
  return x > 900 && x < 1900 && y < 700;
}

/** What an EXIF block keeps when all is well. */
export const PHONE_TAGS = ['Ours', 'kept'] as const;

/** Does an EXIF block link to a place, in either byte order? */
export function holdsPlace(exif: Buffer): boolean {
  const link = Buffer.from([0x88, 0x25]);
  return exif.includes(link) || exif.includes(Buffer.from(link).reverse());
}

/** 640×480 in 16 bit and Display P3. */
export function deepPhoto(): Promise<Buffer> {
  return scene(640, 480).toColourspace('rgb16').withIccProfile('p3').png().toBuffer();
}

export function deepMask(): Promise<Uint8Array> {
  return maskPng({ width: 640, height: 480 }, { x: 170, y: 90, width: 300, height: 300 });
}

/** The soft edge that goes with the mask, and where it reaches. */
export const DEEP_EDGE = 4;
export function isNearDeepMask(x: number, y: number): boolean {
  return x >= 170 - DEEP_EDGE && x < 470 + DEEP_EDGE && y >= 90 - DEEP_EDGE && y < 390 + DEEP_EDGE;
}
