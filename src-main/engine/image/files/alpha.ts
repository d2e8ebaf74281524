import { fullScale, type Photo } from './photo.js';

/**
 * Samples whose colours were multiplied by alpha, as an edit needs them: the colours themselves. Multiplied again they
 * are what stood in the file; behind full transparency nothing is known, and black stays black.
 */
export function unmultiplied(samples: Photo['samples'], channels: number): Photo['samples'] {
  if (channels === 1 || channels === 3) return samples;
  const full = fullScale(samples);
  const result = samples.slice();
  for (let at = 0; at < samples.length; at += channels) {
    const alpha = samples[at + channels - 1]!;
    if (alpha === 0 || alpha === full) continue;
    for (let c = 0; c < channels - 1; c++) result[at + c] = Math.min(full, Math.round((samples[at + c]! * full) / alpha));
  }
  return result;
}
