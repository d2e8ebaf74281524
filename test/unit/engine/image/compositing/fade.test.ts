import { describe, expect, it } from 'vitest';
import { faded } from '#engine/image/compositing/fade.js';
import type { Photo } from '#engine/image/files/photo.js';

const photoOf = (samples: Photo['samples'], channels: Photo['channels'] = 1): Photo => ({
  extent: { width: samples.length / channels, height: 1 },
  channels,
  samples,
  format: 'png',
  notices: [],
});
const below = photoOf(Uint8Array.of(0, 100, 200, 255));
const above = photoOf(Uint8Array.of(100, 100, 0, 0));

describe('one picture over another', () => {
  it.each([
    [0, [0, 100, 200, 255]],
    [0.5, [50, 100, 100, 128]],
    [1, [100, 100, 0, 0]],
  ])('at opacity %d', (opacity, samples) => {
    expect([...faded(below, above, { opacity }).samples]).toEqual(samples);
  });

  it('counts where its mask is white, and less in soft edges', () => {
    const mask = { extent: below.extent, values: Uint8Array.of(255, 255, 0, 51) };
    expect([...faded(below, above, { opacity: 1, mask }).samples]).toEqual([100, 100, 200, 204]);
  });

  it('keeps sixteen bits, and leaves both as they are', () => {
    const [deep, over] = [photoOf(Uint16Array.of(0, 60_001)), photoOf(Uint16Array.of(60_001, 1))];
    expect([...faded(deep, over, { opacity: 0.25 }).samples]).toEqual([15_000, 45_001]);
    expect([...over.samples]).toEqual([60_001, 1]);
  });

  it('refuses pictures of another size or depth', () => {
    const other = photoOf(Uint8Array.of(1, 2, 3));
    expect(() => faded(below, other, { opacity: 0.5 })).toThrow('one size and depth');
    expect(() => faded(below, photoOf(Uint16Array.of(1, 2, 3, 4)), { opacity: 0.5 })).toThrow('one size and depth');
  });
});
