import { viewOf } from './directory.js';

// Readers that judge an AVIF by its beginning ask libavif whether the first 500 bytes could be one. It says no where a
// metadata item lies beyond them, and yes where the boxes themselves go on beyond them.

/** Bytes by which OpenCV judges a file. */
const JUDGED_BY = 500;
const HEAD = 8;

/** The file with empty room behind its boxes, where they are short; whatever they point to lies as much farther on. */
export function withRoom(avif: Uint8Array): Uint8Array {
  const view = viewOf(avif);
  const start = view.getUint32(0);
  const size = view.getUint32(start);
  const end = start + size;
  if (typeAt(avif, start) !== 'meta' || end > JUDGED_BY) return avif;
  const room = JUDGED_BY + 1 - end + HEAD;
  const file = Buffer.concat([avif.subarray(0, end), freeBox(room), avif.subarray(end)]);
  const moved = viewOf(file);
  moved.setUint32(start, size + room);
  moveItems(moved, placesAt(file, { from: start + HEAD + 4, end }), room);
  return file;
}

function typeAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at + 4, at + HEAD));
}

function freeBox(bytes: number): Uint8Array {
  const box = Buffer.alloc(bytes);
  box.writeUInt32BE(bytes);
  box.write('free', 4, 'latin1');
  return box;
}

/** Where the box of items' places stands. */
function placesAt(file: Uint8Array, { from, end }: { from: number; end: number }): number {
  const view = viewOf(file);
  for (let at = from; at < end; at += view.getUint32(at)) if (typeAt(file, at) === 'iloc') return at + HEAD;
  throw new Error('Expected the AVIF encoder to say where items lie.');
}

/** As libheif writes them: numbers of four bytes, every item with a place of its own that its extents count from. */
function moveItems(view: DataView, iloc: number, by: number): void {
  const [version, sizes] = [view.getUint32(iloc), view.getUint16(iloc + 4)];
  if (version !== 0 || sizes !== 0x4440) throw new Error(`Expected places of items of four bytes but received ${sizes.toString(16)}.`);
  let at = iloc + 8;
  for (let left = view.getUint16(iloc + 6); left > 0; left--) {
    view.setUint32(at + 4, view.getUint32(at + 4) + by);
    at += 10 + view.getUint16(at + 8) * 8;
  }
}
