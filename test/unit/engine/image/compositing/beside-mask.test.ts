import { expect, test } from 'vitest';
import { restBeside } from '#engine/image/compositing/beside-mask.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';
import { noisy } from '../noise.js';

const extent = { width: 480, height: 360 };
type Inside = (x: number, y: number) => boolean;
const ball: Inside = (x, y) => Math.hypot(x - 240, y - 170) < 60;
const ballAndShadow: Inside = (x, y) => ball(x, y) || Math.hypot((x - 250) / 1.8, y - 225) < 24;

/** A red ball with a soft shadow on grass under a sky, with grain. */
function scene(hasShadow: boolean): Photo {
  const samples = Uint8Array.from({ length: extent.width * extent.height * 3 }, (_, i) => {
    const [c, pixel] = [i % 3, Math.trunc(i / 3)];
    const [x, y] = [pixel % extent.width, Math.trunc(pixel / extent.width)];
    const grain = noisy(pixel, 0.03);
    if (ball(x, y)) return 255 * ([0.8, 0.15, 0.1][c]! + grain);
    const ground = y < 160 ? [0.5, 0.7, 0.95] : [0.35, 0.6, 0.3];
    const away = Math.hypot((x - 250) / 1.8, y - 225);
    const light = hasShadow && y >= 160 ? Math.min(1, 0.6 + Math.max(0, away - 14) / 25) : 1;
    return 255 * (ground[c]! * light + grain);
  });
  return { extent, channels: 3, samples, format: 'png', notices: [] };
}

function maskOf(inside: Inside): Mask {
  const values = Uint8Array.from({ length: extent.width * extent.height }, (_, i) =>
    inside(i % extent.width, Math.trunc(i / extent.width)) ? 255 : 0,
  );
  return { extent, values };
}

const grownBy =
  (px: number): Inside =>
  (x, y) =>
    Math.hypot(x - 240, y - 170) < 60 + px;

test('a shadow beside a mask asks for a mask that takes it in', async () => {
  const growth = await restBeside(scene(true), maskOf(grownBy(4)));
  expect(growth).toBeGreaterThan(8);
  expect(growth).toBeLessThan(50);
});

test('the rest of an object beside a mask asks for a mask that takes it in', async () => {
  const growth = await restBeside(scene(false), maskOf(grownBy(-12)));
  expect(growth).toBeGreaterThanOrEqual(12);
  expect(growth).toBeLessThan(40);
});

test('nothing is asked for where all is inside, the mask follows the outline, or what crosses it is a horizon and grain', async () => {
  for (const [photo, inside] of [
    [scene(false), grownBy(6)],
    [scene(false), grownBy(0)],
    [scene(true), (x: number, y: number) => ballAndShadow(x, y) || Math.hypot((x - 250) / 1.8, y - 225) < 46],
    [scene(false), (x: number, y: number) => Math.hypot(x - 80, y - 160) < 40],
    [scene(false), () => true],
  ] as const) {
    expect(await restBeside(photo, maskOf(inside))).toBeUndefined();
  }
});

test('the soft rim of an object whose outline the mask follows asks for a mask that takes it in', async () => {
  /** Its edge is `soft` pixels wide, and the ground has grain. */
  const drawn = (soft: number, grain: number): Photo => ({
    ...scene(false),
    samples: Uint8Array.from({ length: extent.width * extent.height * 3 }, (_, i) => {
      const [x, y] = [Math.trunc(i / 3) % extent.width, Math.trunc(i / 3 / extent.width)];
      const share = Math.min(1, Math.max(0, (60 + soft - Math.hypot(x - 240, y - 170)) / soft));
      const ground = 0.5 + noisy(Math.trunc(i / 3), grain);
      return 255 * (share * [0.8, 0.15, 0.1][i % 3]! + (1 - share) * ground);
    }),
  });
  for (const soft of [2, 4]) {
    const growth = await restBeside(drawn(soft, 0.02), maskOf(grownBy(0)));
    expect(growth).toBeGreaterThanOrEqual(soft);
    expect(growth).toBeLessThanOrEqual(soft + 3);
    expect(await restBeside(drawn(soft, 0.02), maskOf(grownBy(soft + 3)))).toBeUndefined();
  }
  expect(await restBeside(drawn(0.1, 0.1), maskOf(grownBy(1)))).toBeUndefined();
});

test('nothing is asked for around a scratch: what it crosses and runs along is no rest of it', async () => {
  const scratch =
    (slope: number): Inside =>
    (x, y) =>
      x > 40 && x < 440 && Math.abs(y - 165 - slope * (x - 240)) < 2;
  for (const slope of [0, 0.1, 0.4]) expect(await restBeside(scene(true), maskOf(scratch(slope)))).toBeUndefined();
});
