// @vitest-environment jsdom
import { beforeEach, describe, expect, test } from 'vitest';
import type { MaskStep } from '#contract/mask.js';
import { ONE_MASK } from '#document/mask-list.js';
import { rasterise } from '#document/mask.js';
import { Mask } from '#state/mask.svelte.js';
import type { ShownPicture } from '#state/pictures.js';

/** Large enough for long steps to be worked out beside the window's own thread. */
const size = { width: 2001, height: 1000 };
const stroke: MaskStep = { kind: 'stroke', stroke: { points: [{ x: 400, y: 300 }], radiusPx: 40, erase: false } };
const grow: MaskStep = { kind: 'grow', px: 9 };

let mask: Mask;

beforeEach(() => {
  HTMLCanvasElement.prototype.getContext = () => null;
  mask = new Mask(() => undefined);
  mask.begin({ info: { size } } as ShownPicture, ONE_MASK);
  mask.add(stroke);
});

const kinds = () => mask.history.steps.slice(0, mask.history.length).map(({ kind }) => kind);
const isAsItsSteps = () => Buffer.compare(mask.layer!.values, rasterise(mask.history, size)) === 0;

describe('a long step of a large mask', () => {
  test('comes later, and what is asked for meanwhile comes behind it', async () => {
    mask.add(grow);
    mask.add({ kind: 'invert' });
    expect([kinds(), mask.working]).toEqual([['stroke'], true]);
    await mask.settled();
    expect([kinds(), mask.working, isAsItsSteps()]).toEqual([['stroke', 'grow', 'invert'], false, true]);
    mask.undo();
    mask.undo();
    expect([kinds(), isAsItsSteps()]).toEqual([['stroke'], true]);
    mask.redo();
    expect([kinds(), isAsItsSteps()]).toEqual([['stroke', 'grow'], true]);
  });

  test('counts what is painted while it is worked out', async () => {
    mask.add(grow);
    const other: MaskStep & { kind: 'stroke' } = { kind: 'stroke', stroke: { points: [{ x: 900, y: 600 }], radiusPx: 20, erase: false } };
    const { points, ...tip } = other.stroke;
    mask.layer!.paint(points[0]!, points[0]!, tip);
    mask.addPainted(other);
    await mask.settled();
    expect([kinds(), isAsItsSteps()]).toEqual([['stroke', 'stroke', 'grow'], true]);
  });

  test('is given up like any other that is looked for', async () => {
    mask.add(grow);
    mask.stopSelecting();
    await mask.settled();
    expect([kinds(), mask.working, isAsItsSteps()]).toEqual([['stroke'], false, true]);
  });

  test('keeps what lies in an area, and masks are combined', async () => {
    mask.keepWithin({ points: [{ x: 0, y: 0 }, { x: 400, y: 0 }, { x: 400, y: 999 }, { x: 0, y: 999 }], erase: false }); // prettier-ignore
    await mask.settled();
    expect([kinds(), mask.bounds, isAsItsSteps()]).toEqual([['stroke', 'within'], { x: 360, y: 260, width: 40, height: 80 }, true]);
  });
});
