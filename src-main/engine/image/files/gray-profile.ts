import { makeProfile } from './make-profile.js';
import { readMatrixProfile } from './icc-profile.js';
import { SRGB_PRIMARIES } from './code-points.js';

/** A profile of three channels with the tone curve of a gray one: equal samples show the same tone. Undefined for tables. */
export function rgbProfileOfGray(icc: Uint8Array): Uint8Array | undefined {
  const [tone] = readMatrixProfile(icc)?.curves ?? [];
  return tone && makeProfile({ name: 'Gray as RGB', primaries: SRGB_PRIMARIES, tone }, 'RGB ');
}
