import { cellCount, type Grid } from '#base/geometry.js';
import { resizeArea } from '#engine/tensor/resample.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Weights } from '#engine/weights/handle.js';
import { SessionCache, openedWhole } from '../session-cache.js';
import { describeBlocks, type ClassSizes } from '../var/architecture.js';
import { ClassPredictor } from '../var/predictor.js';

// C width · N side of the learned map of positions · h, w grid of a scale

/** Side of the map of positions, as published. */
const POSITIONS_SIDE = 32;

/** One transformer on whatever grids are asked for. */
export type FlexVar = (scales: ClassSizes['scales']) => ClassPredictor;

/**
 * Opens VAR's transformer as FlexVAR trained it (Jiao et al. 2025), published names: no levels, and positions that are
 * resized to any grid.
 *
 * @throws ExpectedError `weights.refused` where the weights do not fit the card.
 */
export async function openFlexVar(runner: Runner, weights: Weights, config: ClassSizes): Promise<FlexVar> {
  weights.expectShape('pos_1LC', [1, config.width, POSITIONS_SIDE, POSITIONS_SIDE]);
  const map = floats([config.width, POSITIONS_SIDE, POSITIONS_SIDE], weights.readFloats('pos_1LC'));
  const positionsOn = (scales: readonly Grid[]) => scales.map((grid) => positionsOf(map, grid));
  const blocks = describeBlocks(weights, config, runner);
  const first = await openedWhole(new ClassPredictor(new SessionCache(runner), { ...blocks, positions: positionsOn(config.scales) }));
  return (scales) => first.fitted({ scales, positions: positionsOn(scales) });
}

/** `[C, N, N]` → `[h·w, C]` */
function positionsOf(map: FloatTensor, grid: Grid): FloatTensor {
  const [width = 0] = map.dims;
  const { data } = resizeArea(map, grid); // (C, h, w)
  const cells = cellCount(grid);
  const rows = floats([cells, width]);
  for (let cell = 0; cell < cells; cell++) {
    for (let channel = 0; channel < width; channel++) rows.data[cell * width + channel] = data[channel * cells + cell]!;
  }
  return rows;
}
