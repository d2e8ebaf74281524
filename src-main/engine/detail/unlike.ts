import { smoothStep } from '#base/smooth-step.js';
import type { Rect } from '#base/geometry.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { misfitOf } from './guide.js';
import type { Scale } from './scale.js';

/** Below, the photograph has the like of what the model drew; above, it has not (measured: README). Root of the mean square over the colours, of 1. */
const [LIKE, UNLIKE] = [0.1, 0.14];
/** In pixels of the finest scale that the model leads. */
const SMOOTH = 1.5;

export interface Unlike {
  /** `[h, w]` in 0..1: 1 = the photograph has nothing like it. */
  readonly share: FloatTensor;
  /** In pixels of the photo. */
  readonly frame: Rect;
}

/** Where the best that could be found in the photograph is far from what the model drew there. */
export function unlikeIn(scale: Scale, { window, shrink }: { readonly window: Rect; readonly shrink: number }): Unlike {
  const { box } = scale;
  const misfit = gaussian(misfitOf(scale), box, SMOOTH);
  const share = misfit.map((value) => smoothStep(Math.min(1, Math.max(0, (value - LIKE) / (UNLIKE - LIKE)))));
  return {
    share: floats([box.height, box.width], share),
    frame: { x: window.x + box.x * shrink, y: window.y + box.y * shrink, width: box.width * shrink, height: box.height * shrink },
  };
}
