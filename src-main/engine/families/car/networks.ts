import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { inOrder } from '../tensors.js';

// C width

/** A control adapter over a VAR of twice as many layers. */
export interface CarShape {
  readonly family: 'car';
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

export const carAdapter: Network<CarShape> = {
  name: 'car',
  fits: (weights) => weights.has('car_blocks') || weights.has('car_control_convs'),
  read: adapter,
};

function adapter(weights: Weights): CarShape {
  const blocks = inOrder(weights.at('car_blocks'));
  const [width = 0] = weights.shape('car_var_conv.weight'); // [C, C, 3, 3]
  const heads = weights.shape('car_blocks.0.attn.scale_mul_1H11')[1] ?? 0; // [1, H, 1, 1]
  weights.expectShape('car_var_conv.weight', [width, width, 3, 3]);
  weights.shape('car_control_convs.conv_in.weight');
  blocks.forEach((block, j) => {
    block.expectShape('attn.mat_qkv.weight', [3 * width, width]);
    block.expectShape('ada_lin.1.weight', [6 * width, width]);
    weights.expectShape(`car_skip_norm.${j}.weight`, [2 * width]);
    weights.expectShape(`car_skip_linear.${j}.weight`, [width, 2 * width]);
  });
  return { family: 'car', depth: blocks.length, width, heads };
}
