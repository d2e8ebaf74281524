import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { canonicalJson } from '#base/canonical-json.js';

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Of a value, whatever order its members were written in. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}

/** Of what comes piece by piece: its digest, and the checksum that archives hold. */
export async function digestsOf(pieces: AsyncIterable<Uint8Array>): Promise<{ readonly sha256: string; readonly crc32: number }> {
  const hash = createHash('sha256');
  let crc = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    crc = crc32(piece, crc);
  }
  return { sha256: hash.digest('hex'), crc32: crc };
}
