import { createHash } from 'node:crypto';
import { canonicalJson } from '#base/canonical-json.js';

/** SHA-256 in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Of a value, whatever order its members were written in. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value));
}
