import { Zip, ZipPassThrough } from 'fflate';
import type { SavedFile } from './pictures.js';

/** Files as one archive. Stored, not compressed: pictures are compressed already. */
export async function zipOf(files: readonly SavedFile[]): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part);
  });
  for (const { name, file } of files) {
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    // One picture after the other: the window stays usable meanwhile.
    entry.push(new Uint8Array(await file.arrayBuffer()), true);
  }
  zip.end();
  return new Blob(parts, { type: 'application/zip' });
}
