const ORIENTATION = 0x0112;
const PREFIX = 'Exif\0\0';
const SHORT = 3;

/** Byte order of a TIFF block, or undefined where it isn't one. */
export function tiffOrder(block: Uint8Array): 'little' | 'big' | undefined {
  if (block.length < 14) return undefined;
  const [a, b, c, d] = block;
  if (a === 0x49 && b === 0x49 && c === 0x2a && d === 0) return 'little';
  return a === 0x4d && b === 0x4d && c === 0 && d === 0x2a ? 'big' : undefined;
}

/**
 * A copy of an EXIF block as an upright picture carries it: without the "Exif" prefix, orientation 1, and without the
 * link to the embedded thumbnail, which would go on showing the picture before the edit. Undefined where it is no EXIF.
 */
export function uprightExif(block: Uint8Array): Uint8Array | undefined {
  const prefixed = String.fromCharCode(...block.subarray(0, 6)) === PREFIX;
  const exif = new Uint8Array(prefixed ? block.subarray(6) : block);
  const order = tiffOrder(exif);
  if (order === undefined) return undefined;
  const little = order === 'little';
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const ifd = view.getUint32(4, little);
  if (ifd + 2 > exif.length) return undefined;
  const entries = view.getUint16(ifd, little);
  const end = ifd + 2 + entries * 12;
  if (end > exif.length) return undefined;
  for (let at = ifd + 2; at < end; at += 12) {
    if (view.getUint16(at, little) === ORIENTATION) resetShort(view, at, little);
  }
  if (end + 4 <= exif.length) view.setUint32(end, 0, little);
  return exif;
}

function resetShort(view: DataView, entry: number, little: boolean): void {
  view.setUint16(entry + 2, SHORT, little);
  view.setUint32(entry + 4, 1, little);
  view.setUint16(entry + 8, 1, little);
  view.setUint16(entry + 10, 0, little);
}

/** The block as JPEG and WebP frame it. */
export function prefixedExif(exif: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(PREFIX, 'latin1'), exif]);
}
