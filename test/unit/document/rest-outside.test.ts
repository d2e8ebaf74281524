import { describe, expect, test } from 'vitest';
import { restOutside } from '#document/rest-outside.js';

const SIDE = 160;
const BALL = { x: 80, y: 70, radius: 24 };
/** Under the ball, and to its right. */
const SHADOW = { x: 92, y: 94, wide: 34, high: 10 };

interface Ground {
  readonly colourAt: (x: number, y: number) => readonly [number, number, number];
  readonly shaded: boolean;
}

/** A red ball on a ground with a little grain, with or without its soft shadow. */
function scene({ colourAt, shaded }: Ground) {
  const data = new Uint8ClampedArray(SIDE * SIDE * 4);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    const inBall = Math.hypot(x - BALL.x, y - BALL.y) < BALL.radius;
    const depth = shaded ? 0.5 * Math.exp(-((((x - SHADOW.x) / SHADOW.wide) ** 2 + ((y - SHADOW.y) / SHADOW.high) ** 2) * 1.4)) : 0;
    const grain = ((i * 7919) % 5) - 2;
    const colour = inBall ? [200, 30, 30] : colourAt(x, y).map((value) => (value + grain) * (1 - depth));
    data.set([...colour, 255], i * 4);
  }
  return { data, width: SIDE, height: SIDE };
}

function maskWhere(isInside: (x: number, y: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => (isInside(i % SIDE, Math.floor(i / SIDE)) ? 255 : 0));
}

const overBall = (x: number, y: number) => Math.hypot(x - BALL.x, y - BALL.y) < BALL.radius + 3;
const overShadow = (x: number, y: number) => Math.hypot((x - SHADOW.x) / 1.55 / SHADOW.wide, (y - SHADOW.y) / 1.7 / SHADOW.high) < 1;
const GRASS: Ground['colourAt'] = () => [90, 150, 60];
/** The ball stands before a horizon. */
const HORIZON: Ground['colourAt'] = (_, y) => (y < 62 ? [150, 190, 240] : [90, 150, 60]);

describe('what touches a mask from outside and is found nowhere around it', () => {
  test('is the shadow of an object that was painted over without it', () => {
    for (const colourAt of [GRASS, HORIZON]) {
      const rest = restOutside(scene({ colourAt, shaded: true }), maskWhere(overBall));
      expect(rest?.share).toBeGreaterThan(0.1);
      expect(rest?.growPx).toBeGreaterThan(4);
    }
  });

  test('is nothing where there is no shadow, even at a horizon, or where the mask holds it', () => {
    expect(restOutside(scene({ colourAt: GRASS, shaded: false }), maskWhere(overBall))).toBeUndefined();
    expect(restOutside(scene({ colourAt: HORIZON, shaded: false }), maskWhere(overBall))).toBeUndefined();
    const both = maskWhere((x, y) => overBall(x, y) || overShadow(x, y));
    expect(restOutside(scene({ colourAt: GRASS, shaded: true }), both)).toBeUndefined();
  });

  test('is nothing around an empty mask, one of everything, and a picture of one pixel', () => {
    const picture = scene({ colourAt: GRASS, shaded: true });
    expect(
      restOutside(
        picture,
        maskWhere(() => false),
      ),
    ).toBeUndefined();
    expect(
      restOutside(
        picture,
        maskWhere(() => true),
      ),
    ).toBeUndefined();
    expect(restOutside({ data: new Uint8ClampedArray(4), width: 1, height: 1 }, Uint8Array.of(255))).toBeUndefined();
  });

  test('a mask that grew by what is said holds it', () => {
    const picture = scene({ colourAt: GRASS, shaded: true });
    const rest = restOutside(picture, maskWhere(overBall));
    const grown = maskWhere((x, y) => Math.hypot(x - BALL.x, y - BALL.y) < BALL.radius + 3 + (rest?.growPx ?? 0));
    const after = restOutside(picture, grown);
    expect(after?.share ?? 0).toBeLessThan(rest?.share ?? 0);
  });
});
