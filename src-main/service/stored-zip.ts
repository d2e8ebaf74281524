/** What goes into an archive as it is. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: number;
  readonly crc32: number;
  /** Its bytes, `bytes` of them. */
  readonly body: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** The first day that an archive can name: the same project gives the same bytes. */
const FIRST_DAY = 0x21;

/** How long the archive of these will be. Without the records for more than 4 GB: whoever asks keeps below that. */
export function zipBytes(entries: readonly ZipEntry[]): number {
  const each = entries.map(({ name, bytes }) => LOCAL_BYTES + CENTRAL_BYTES + 2 * Buffer.byteLength(name) + bytes);
  return each.reduce((sum, bytes) => sum + bytes, END_BYTES);
}

/**
 * A zip archive piece by piece (APPNOTE 6.3), nothing compressed, sizes in front. fflate writes them behind each entry: readers of
 * a stream then take an entry for ended where its bytes look like the record behind it, its own reader among them.
 */
export async function* zipPieces(entries: readonly ZipEntry[]): AsyncGenerator<Uint8Array, void> {
  const central: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    central.push(recordOf(entry, at));
    const local = recordOf(entry);
    yield local;
    yield* entry.body();
    at += local.length + entry.bytes;
  }
  yield* central;
  const bytes = central.reduce((sum, { length }) => sum + length, 0);
  yield endOf({ entries: entries.length, bytes, at });
}

/** In front of an entry, or in the directory at the end, where it says in which place the entry lies. */
function recordOf({ name, bytes, crc32 }: ZipEntry, at?: number): Uint8Array {
  const letters = Buffer.from(name);
  const isLocal = at === undefined;
  const head = Buffer.alloc(isLocal ? LOCAL_BYTES : CENTRAL_BYTES);
  head.writeUInt32LE(isLocal ? 0x04034b50 : 0x02014b50);
  if (!isLocal) head.writeUInt16LE(VERSION, 4);
  const from = isLocal ? 4 : 6;
  head.writeUInt16LE(VERSION, from);
  head.writeUInt16LE(FLAGS, from + 2);
  head.writeUInt16LE(FIRST_DAY, from + 8);
  head.writeUInt32LE(crc32, from + 10);
  head.writeUInt32LE(bytes, from + 14);
  head.writeUInt32LE(bytes, from + 18);
  head.writeUInt16LE(letters.length, from + 22);
  if (!isLocal) head.writeUInt32LE(at, 42);
  return Buffer.concat([head, letters]);
}

function endOf({ entries, bytes, at }: { entries: number; bytes: number; at: number }): Uint8Array {
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(at, 16);
  return end;
}
