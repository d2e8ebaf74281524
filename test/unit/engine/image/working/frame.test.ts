import { describe, expect, it } from 'vitest';
import { extendPhoto, frameAround, frameWhole, keptPart } from '#engine/image/working/frame.js';
import { makePhoto } from '../pictures.js';

const options = { aspect: 1, context: 1.8, minSide: 128 };

describe('the frame around a mask', () => {
  it('holds the mask with context and stays inside the photo where it fits', () => {
    const photo = { width: 3000, height: 2000 };
    for (const bounds of [
      { x: 0, y: 0, width: 200, height: 100 },
      { x: 2900, y: 1950, width: 100, height: 50 },
      { x: 1200, y: 800, width: 500, height: 700 },
    ]) {
      const frame = frameAround(bounds, photo, options);
      expect(frame.width).toBe(frame.height);
      expect(frame.width).toBeGreaterThanOrEqual(Math.max(128, 1.6 * Math.max(bounds.width, bounds.height)));
      expect(frame.x).toBeGreaterThanOrEqual(0);
      expect(frame.y).toBeGreaterThanOrEqual(0);
      expect(frame.x + frame.width).toBeLessThanOrEqual(3000);
      expect(frame.y + frame.height).toBeLessThanOrEqual(2000);
      expect(frame.x).toBeLessThanOrEqual(bounds.x);
      expect(frame.x + frame.width).toBeGreaterThanOrEqual(bounds.x + bounds.width);
    }
  });

  it('reaches beyond a photo that is too small, centred on it', () => {
    expect(frameAround({ x: 100, y: 10, width: 40, height: 40 }, { width: 900, height: 100 }, options)).toEqual({
      x: 56,
      y: -14,
      width: 128,
      height: 128,
    });
  });

  it('is never larger than the frame of the whole photo', () => {
    expect(frameAround({ x: 0, y: 0, width: 900, height: 600 }, { width: 900, height: 600 }, options)).toEqual(
      frameWhole({ width: 900, height: 600 }, 1),
    );
  });
});

it.each([
  [{ width: 300, height: 200 }, 1, { x: 0, y: -50, width: 300, height: 300 }],
  [{ width: 200, height: 300 }, 1, { x: -50, y: 0, width: 300, height: 300 }],
  [{ width: 300, height: 200 }, 1.5, { x: 0, y: 0, width: 300, height: 200 }],
  [{ width: 20000, height: 8 }, 1, { x: 0, y: -9996, width: 20000, height: 20000 }],
])('the whole of %o in an aspect of %d', (photo, aspect, frame) => {
  expect(frameWhole(photo, aspect)).toEqual(frame);
});

describe('a larger canvas', () => {
  const margins = { left: 5, right: 9, top: 0, bottom: 40 };

  it.each([1, 2, 3, 4] as const)('keeps every old sample (%i channels) and mirrors it around', (channels) => {
    const photo = makePhoto({ width: 21, height: 13, channels, deep: channels === 3 });
    const larger = extendPhoto(photo, margins);
    expect(larger.extent).toEqual({ width: 35, height: 53 });
    const at = (p: typeof photo, x: number, y: number) => [
      ...p.samples.subarray((y * p.extent.width + x) * channels).subarray(0, channels),
    ];
    for (let y = 0; y < 13; y++) for (let x = 0; x < 21; x++) expect(at(larger, x + 5, y)).toEqual(at(photo, x, y));
    expect(at(larger, 4, 3)[0]).toBe(at(photo, 0, 3)[0]);
    expect(at(larger, 5, 13)[0]).toBe(at(photo, 0, 12)[0]);
    if (channels === 2 || channels === 4) expect(at(larger, 0, 52).at(-1)).toBe(255);
  });

  it('knows where the photo lies on it', () => {
    expect(keptPart(makePhoto({ width: 21, height: 13 }), margins)).toEqual({ x: 5, y: 0, width: 21, height: 13 });
  });
});
