import { describe, expect, test } from 'vitest';
import { NO_FRAMING, type Framing } from '#contract/framing.js';
import { framedMask, reframingOf } from '#document/framing.js';
import { EMPTY_MASK, rasterise, withStep } from '#document/mask.js';

const EXTENT = { width: 8, height: 6 };
/** One pixel, at 2, 1. */
const dot = withStep(EMPTY_MASK, {
  kind: 'area',
  area: { points: [{ x: 2, y: 1 }, { x: 3, y: 1 }, { x: 3, y: 2 }, { x: 2, y: 2 }], erase: false }, // prettier-ignore
});

function placeOf(framing: Framing, was?: Framing, mask = dot): readonly number[] {
  const reframing = reframingOf(EXTENT, framing, was);
  const { width } = reframing.to;
  return [...rasterise(framedMask(mask, reframing), reframing.to)].flatMap((value, i) => (value ? [i % width, Math.floor(i / width)] : []));
}

describe('a mask goes along', () => {
  test.each([
    [{}, [2, 1]],
    [{ mirrored: true }, [5, 1]],
    [{ turns: 1 }, [4, 2]],
    [{ turns: 2 }, [5, 4]],
    [{ turns: 3 }, [1, 5]],
    [{ crop: { x: 1, y: 1, width: 4, height: 3 } }, [1, 0]],
    [{ crop: { x: 3, y: 1, width: 4, height: 3 } }, []],
  ])('with %j', (framing, place) => {
    expect(placeOf({ ...NO_FRAMING, ...framing })).toEqual(place);
  });

  test('from one framing to another', () => {
    const was: Framing = { ...NO_FRAMING, turns: 1 };
    const turned = framedMask(dot, reframingOf(EXTENT, was));
    expect(placeOf(NO_FRAMING, was, turned)).toEqual([2, 1]);
  });
});
