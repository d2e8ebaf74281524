import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around the data of a chunk. */
const FRAME_BYTES = 12;

export interface PngChunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** The chunk with its frame, as it stands in the file. */
  readonly whole: Uint8Array;
  /** False where the file ends inside the chunk. */
  readonly complete: boolean;
}

/** The chunks of a PNG in order; a last one that the file cuts off is marked incomplete. */
export function* pngChunks(png: Uint8Array): Generator<PngChunk, void> {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let at = SIGNATURE_BYTES;
  while (at + 8 <= png.length) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...png.subarray(at + 4, at + 8));
    const end = at + FRAME_BYTES + length;
    const complete = end <= png.length;
    yield { type, data: png.subarray(at + 8, at + 8 + length), whole: png.subarray(at, end), complete };
    if (!complete || type === 'IEND') return;
    at = end;
  }
}

/** Does the chunk's checksum fit its type and data? */
export function checksumFits({ whole }: PngChunk): boolean {
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  return view.getUint32(whole.length - 4) === crc32(whole.subarray(4, whole.length - 4));
}

export function makeChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(FRAME_BYTES + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

/** Puts chunks right behind the header: before the palette and the pixels, where profiles must stand. */
export function insertChunks(png: Uint8Array, chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 0) return png;
  const afterHeader = SIGNATURE_BYTES + FRAME_BYTES + 13;
  return Buffer.concat([png.subarray(0, afterHeader), ...chunks, png.subarray(afterHeader)]);
}

/** An international text chunk (UTF-8, uncompressed); the keyword is cut to ASCII and 79 characters as the format asks. */
export function textChunk(keyword: string, text: string): Uint8Array {
  const key = keyword.replace(/[^ -~]/gu, '').slice(0, 79);
  // Keyword, end, two zero bytes "not compressed", an empty language tag and an empty translated keyword.
  const head = Buffer.from(`${key}\0\0\0\0\0`, 'latin1');
  return makeChunk('iTXt', Buffer.concat([head, Buffer.from(text, 'utf8')]));
}

/** The file without the chunks of one kind. */
export function withoutChunks(png: Uint8Array, type: string): Uint8Array {
  const kept = Array.from(pngChunks(png)).filter((chunk) => chunk.type !== type);
  return Buffer.concat([png.subarray(0, SIGNATURE_BYTES), ...kept.map(({ whole }) => whole)]);
}

/** A block of metadata as ImageMagick and ExifTool keep it in a PNG: hexadecimal digits in a compressed text. */
export function rawProfileChunk(name: string, block: Uint8Array): Uint8Array {
  const lines = Buffer.from(block).toString('hex').replace(/.{72}/gu, '$&\n');
  const text = `\n${name}\n${String(block.length).padStart(8)}\n${lines}\n`;
  return makeChunk(
    'zTXt',
    Buffer.concat([Buffer.from(`Raw profile type ${name}\0\0`, 'latin1'), deflateSync(Buffer.from(text, 'latin1'))]),
  );
}

const TEXT_CHUNKS = new Set(['tEXt', 'zTXt', 'iTXt']);

/** The keyword of a text chunk; undefined for other chunks. */
export function textKeyword({ type, data }: PngChunk): string | undefined {
  const end = data.subarray(0, 80).indexOf(0);
  return TEXT_CHUNKS.has(type) && end > 0 ? Buffer.from(data.subarray(0, end)).toString('latin1') : undefined;
}

/** The text of a chunk of any of the three kinds, inflated to `maxBytes` at most; undefined where it is broken, larger or no text. */
export function textOf({ type, data }: PngChunk, maxBytes: number): string | undefined {
  const keyEnd = data.indexOf(0);
  if (keyEnd < 1) return undefined;
  if (type === 'tEXt') return Buffer.from(data.subarray(keyEnd + 1)).toString('latin1');
  if (type === 'zTXt') return data[keyEnd + 1] === 0 ? inflated(data.subarray(keyEnd + 2), maxBytes)?.toString('latin1') : undefined;
  if (type !== 'iTXt') return undefined;
  const languageEnd = data.indexOf(0, keyEnd + 3);
  const translatedEnd = data.indexOf(0, languageEnd + 1);
  if (languageEnd < 0 || translatedEnd < 0 || data[keyEnd + 1]! > 1) return undefined;
  const text = data.subarray(translatedEnd + 1);
  return (data[keyEnd + 1] === 1 ? inflated(text, maxBytes) : Buffer.from(text))?.toString('utf8');
}

function inflated(data: Uint8Array, maxBytes: number): Buffer | undefined {
  try {
    return inflateSync(data, { maxOutputLength: maxBytes });
  } catch {
    return undefined;
  }
}

export function profileChunk(icc: Uint8Array): Uint8Array {
  return makeChunk('iCCP', Buffer.concat([Buffer.from('ICC profile\0\0', 'latin1'), deflateSync(icc)]));
}

/** The profile inside an iCCP chunk; undefined where it is broken or inflates beyond `maxBytes`. */
export function profileOfChunk(data: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const nameEnd = data.indexOf(0);
  if (nameEnd < 0 || data[nameEnd + 1] !== 0) return undefined;
  const icc = inflated(data.subarray(nameEnd + 2), maxBytes);
  return icc && new Uint8Array(icc);
}

/** A chunk that says so many pixels per metre, or of no unit. */
export function resolutionChunk(pixels: readonly number[], perMetre: boolean): Uint8Array {
  const data = Buffer.alloc(9);
  pixels.forEach((number, i) => data.writeUInt32BE(number, i * 4));
  data[8] = perMetre ? 1 : 0;
  return makeChunk('pHYs', data);
}
