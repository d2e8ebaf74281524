import { viewOf } from './directory.js';

// IPTC-IIM 4.2: datasets of marker, record, number, length and value; Photoshop's image resources are what files wrap them in.

const MARKER = 0x1c;
const IIM = 0x0404;
const SIGNATURE = '8BIM';
/** Keywords, captions, names: what a newsroom writes stays far below. */
export const MOST_IPTC_BYTES = 60_000;

/** Datasets of the application record that say where it was: content location, city, sublocation, province, country. */
const PLACES: ReadonlySet<number> = new Set([26, 27, 90, 92, 95, 100, 101]);
const APPLICATION_RECORD = 2;

interface Dataset {
  readonly record: number;
  readonly number: number;
  readonly whole: Uint8Array;
}

function datasetsOf(iptc: Uint8Array): readonly Dataset[] {
  const found: Dataset[] = [];
  const view = viewOf(iptc);
  for (let at = 0; at + 5 <= iptc.length && iptc[at] === MARKER;) {
    const bytes = view.getUint16(at + 3);
    // The highest bit announces a length of several bytes: only binary previews are so long, and those are stale.
    if (bytes >= 0x8000 || at + 5 + bytes > iptc.length) break;
    found.push({ record: iptc[at + 1]!, number: iptc[at + 2]!, whole: iptc.subarray(at, at + 5 + bytes) });
    at += 5 + bytes;
  }
  return found;
}

/** The datasets alone, without what pads or damages them; undefined where there are none, or more than a file should hold. */
export function usableIptc(iptc: Uint8Array | undefined): Uint8Array | undefined {
  const whole = iptc ? datasetsOf(iptc).map((dataset) => dataset.whole) : [];
  const bytes = new Uint8Array(Buffer.concat(whole));
  return bytes.length > 0 && bytes.length <= MOST_IPTC_BYTES ? bytes : undefined;
}

export function iptcTellsPlace(iptc: Uint8Array | undefined): boolean {
  return iptc !== undefined && datasetsOf(iptc).some(isPlace);
}

export function iptcWithoutPlace(iptc: Uint8Array): Uint8Array {
  const kept = datasetsOf(iptc).filter((dataset) => !isPlace(dataset));
  return new Uint8Array(Buffer.concat(kept.map(({ whole }) => whole)));
}

function isPlace({ record, number }: Dataset): boolean {
  return record === APPLICATION_RECORD && PLACES.has(number);
}

/** The datasets inside Photoshop's image resources, with or without "Photoshop 3.0" in front; they may stand there bare, too. */
export function iptcOfResources(block: Uint8Array): Uint8Array | undefined {
  if (block[0] === MARKER) return usableIptc(block);
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  let at = bytes.subarray(0, 14).toString('latin1') === 'Photoshop 3.0\0' ? 14 : 0;
  while (at + 12 <= bytes.length && bytes.toString('latin1', at, at + 4) === SIGNATURE) {
    const name = 1 + bytes[at + 6]!;
    const start = at + 6 + name + (name % 2);
    if (start + 4 > bytes.length) return undefined;
    const length = bytes.readUInt32BE(start);
    if (start + 4 + length > bytes.length) return undefined;
    if (bytes.readUInt16BE(at + 4) === IIM) return usableIptc(block.subarray(start + 4, start + 4 + length));
    at = start + 4 + length + (length % 2);
  }
  return undefined;
}

/** One image resource around the datasets, as Photoshop writes it. */
export function resourcesOfIptc(iptc: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.write(SIGNATURE, 'latin1');
  head.writeUInt16BE(IIM, 4);
  head.writeUInt32BE(iptc.length, 8);
  return Buffer.concat([head, iptc, new Uint8Array(iptc.length % 2)]);
}
