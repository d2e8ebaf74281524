import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { blocksAndEmbeddings, hasMapOfPositions, isClassConditional, type VarShape } from '../var/networks.js';

// C width · N side of the map of positions

/** VAR's transformer without levels, on any grid; its tokenizer is LlamaGen's with other sizes. */
export interface FlexVarShape extends Omit<VarShape, 'family' | 'levels' | 'positions'> {
  readonly family: 'flexvar';
}

export const flexVarTransformer: Network<FlexVarShape> = {
  name: 'flexvar',
  fits: (weights) => isClassConditional(weights) && hasMapOfPositions(weights),
  read: flexVar,
};

function flexVar(weights: Weights): FlexVarShape {
  const shape = blocksAndEmbeddings(weights);
  const [, , side = 0] = weights.shape('pos_1LC');
  weights.expectShape('pos_1LC', [1, shape.width, side, side]);
  return { family: 'flexvar', ...shape };
}
