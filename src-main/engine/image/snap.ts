import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { fitTransfer } from './transfer.js';

/** Window of the regression, as a share of the picture's side. */
const WINDOW_SHARE = 1 / 14;
const RIDGE = 1e-3;
/** No misfit counts as new content here. */
const NEVER = { low: 10, high: 20 };
/** Where the regression is this sure, the answer is no or yes. */
const [SURELY_OUT, SURELY_IN] = [0.35, 0.7];

/**
 * Draws the soft edge of `mask [1, h, w]` to the edges of the picture below it, `guide [1, 3, h, w]`: in every window the
 * mask is regressed on the colours (guided filter, He et al. 2010), so that what has the background's colour leaves it.
 */
export function snapToEdges(mask: FloatTensor, guide: FloatTensor): FloatTensor {
  const [, , height = 0, width = 0] = guide.dims;
  const pixels = height * width;
  const wanted = floats(guide.dims);
  for (let c = 0; c < 3; c++) wanted.data.set(mask.data, c * pixels);
  const fit = fitTransfer({ before: guide, after: wanted }, { sigma: width * WINDOW_SHARE, ridge: RIDGE, ...NEVER });
  const snapped = floats([1, height, width]);
  for (let i = 0; i < pixels; i++) {
    let value = fit.offset.data[i]!;
    for (let c = 0; c < 3; c++) value += fit.matrix.data[c * pixels + i]! * guide.data[c * pixels + i]!;
    const share = Math.min(1, Math.max(0, (value - SURELY_OUT) / (SURELY_IN - SURELY_OUT)));
    snapped.data[i] = share * share * (3 - 2 * share);
  }
  return snapped;
}
