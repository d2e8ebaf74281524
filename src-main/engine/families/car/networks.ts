import type { Weights } from '#engine/weights/handle.js';
import type { Network } from '../network.js';
import { affine, dense, expectLayout } from '../layout.js';
import { inOrder } from '../tensors.js';
import { assertVarBlock } from '../var/networks.js';

// C width

const RGB = 3;

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
  expectLayout(weights, { 'car_var_conv.weight': [width, width, 3, 3], 'car_var_conv.bias': [width] });
  expectPyramid(weights.at('car_control_convs'), width);
  blocks.forEach((block, j) => {
    assertVarBlock(block, { width, heads });
    expectLayout(weights, { ...affine(2 * width, `car_skip_norm.${j}`), ...dense({ [`car_skip_linear.${j}`]: [width, 2 * width] }) });
  });
  return { family: 'car', depth: blocks.length, width, heads };
}

/** The convolutions that see the control picture, each as wide as the one before it gives. */
function expectPyramid(convolutions: Weights, width: number): void {
  const inside = inOrder(convolutions.at('blocks'));
  [convolutions.at('conv_in'), ...inside, convolutions.at('conv_out')].reduce((inputs, layer, i) => {
    const outputs = i === inside.length + 1 ? width : (layer.shape('weight')[0] ?? 0);
    expectLayout(layer, { weight: [outputs, inputs, 3, 3], bias: [outputs] });
    return outputs;
  }, RGB);
}
