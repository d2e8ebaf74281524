import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { smoothStep } from '#base/smooth-step.js';
import { FrameSampler } from '#engine/image/sampling/resample.js';
import { fitTransfer, type TransferMap } from './transfer.js';

/** Window of the regression, as a share of the picture's side. */
const WINDOW_SHARE = 1 / 14;
const RIDGE = 1e-3;
/** No misfit counts as new content here. */
const NEVER = { low: 10, high: 20 };
/** Where the regression is this sure, the answer is no or yes. */
const [SURELY_OUT, SURELY_IN] = [0.35, 0.7];

interface Guide {
  /** The picture at the mask's size, `[1, 3, h, w]`, and finer, `[1, 3, H, W]`. */
  readonly coarse: FloatTensor;
  readonly fine: FloatTensor;
}

/**
 * Draws the soft edge of `mask [1, h, w]` to the edges of the picture below it: in every window the mask is regressed on
 * the colours, so that what has the background's colour leaves it (guided filter, He et al. 2010). The regression runs at
 * the mask's size and its coefficients are applied to the finer picture (fast guided filter, He & Sun 2015): `[1, H, W]`.
 */
export function snapToEdges(mask: FloatTensor, { coarse, fine }: Guide): FloatTensor {
  const [, , , coarseWidth = 0] = coarse.dims;
  const wanted = floats(coarse.dims);
  for (let c = 0; c < 3; c++) wanted.data.set(mask.data, c * mask.data.length);
  const fit = fitTransfer({ before: coarse, after: wanted }, { sigma: coarseWidth * WINDOW_SHARE, ridge: RIDGE, ...NEVER });
  return applied(fit, fine);
}

/** The first colour of a fit, as a share from surely out to surely in. */
function applied(fit: TransferMap, fine: FloatTensor): FloatTensor {
  const [, , height = 0, width = 0] = fine.dims;
  const whole = { x: 0, y: 0, width, height };
  const [matrix, offset] = [fit.matrix, fit.offset].map((map) => new FrameSampler(map, { frame: whole, region: whole, kernel: 'linear' }));
  const rows = Array.from({ length: 4 }, () => new Float32Array(width));
  const snapped = floats([1, height, width]);
  for (let y = 0; y < height; y++) {
    for (let c = 0; c < 3; c++) matrix!.read(c, y, rows[c]!);
    offset!.read(0, y, rows[3]!);
    for (let x = 0; x < width; x++) {
      let value = rows[3]![x]!;
      for (let c = 0; c < 3; c++) value += rows[c]![x]! * fine.data[(c * height + y) * width + x]!;
      const share = Math.min(1, Math.max(0, (value - SURELY_OUT) / (SURELY_IN - SURELY_OUT)));
      snapped.data[y * width + x] = smoothStep(share);
    }
  }
  return snapped;
}
