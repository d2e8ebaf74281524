import type { StoredType } from './checkpoint.js';
import { STORED_BYTES } from './checkpoint.js';

/** Bytes of a dense tensor, or undefined where the product leaves the safe integers. */
export function checkedBytes(dtype: StoredType, shape: readonly number[]): number | undefined {
  let bytes = STORED_BYTES[dtype];
  for (const dim of shape) {
    bytes *= dim;
    if (!Number.isSafeInteger(bytes)) return undefined;
  }
  return bytes;
}
