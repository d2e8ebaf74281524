import { describe, expect, it } from 'vitest';
import type { OnnxModel, OnnxPort } from '#engine/graph/onnx-reader.js';
import {
  decoderShapeOf,
  encoderShapeOf,
  isDecoder,
  isEncoder,
  openOnnxSegmenter,
  type EncoderShape,
} from '#engine/networks/onnx-segmenter.js';
import type { Runner, Values } from '#engine/tensor/runner.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';

const port = (name: string, dims?: OnnxPort['dims'], type = 1): OnnxPort => ({ name, type, ...(dims && { dims }) });
const model = (inputs: readonly OnnxPort[], outputs: readonly OnnxPort[]): OnnxModel => ({ inputs, outputs, parameters: 0, external: [], metadata: {} }); // prettier-ignore

const FEATURES = port('image_embeddings', [1, 256, 64, 64]);
const DECODER_INPUTS = [
  FEATURES,
  port('point_coords', [1, undefined, 2]),
  port('point_labels', [1, undefined]),
  port('mask_input', [1, 1, 256, 256]),
  port('has_mask_input', [1]),
  port('orig_im_size', [2]),
];
const DECODER_OUTPUTS = [port('masks'), port('iou_predictions', [1, 4]), port('low_res_masks')];

describe('the halves of a segmentation model', () => {
  it.each<[string, OnnxPort, Partial<EncoderShape>]>([
    ['normalised planes', port('x', [1, 3, 1024, 1024]), { layout: 'planes', side: 1024 }],
    ['of another side', port('x', [1, 3, 512, 512]), { layout: 'planes', side: 512 }],
    ['pixels as they are', port('input_image', [undefined, undefined, 3]), { layout: 'pixels', side: 1024 }],
  ])('are told by their ports: an encoder of %s', (_, input, expected) => {
    const encoder = model([input], [FEATURES]);
    expect([isEncoder(encoder), isDecoder(encoder)]).toEqual([true, false]);
    expect(encoderShapeOf(encoder)).toMatchObject({
      family: 'segment-encoder',
      input: input.name,
      output: 'image_embeddings',
      ...expected,
    });
  });

  it('are told by their ports: the published decoder', () => {
    const decoder = model(DECODER_INPUTS, DECODER_OUTPUTS);
    expect([isEncoder(decoder), isDecoder(decoder)]).toEqual([false, true]);
    expect(decoderShapeOf(decoder)).toEqual({
      family: 'segment-decoder',
      masks: 'masks',
      scores: 'iou_predictions',
      maskInput: [256, 256],
    });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['an oblong encoder', () => encoderShapeOf(model([port('x', [1, 3, 64, 128])], [FEATURES])), /\[1, 3, S, S\] or \[H, W, 3\] as input but received "x"/],
    ['an endless encoder', () => encoderShapeOf(model([port('x', [1, 3, 1e6, 1e6])], [FEATURES])), /side of 64 to 2048 pixels .* 1000000/],
    ['an encoder of bytes', () => encoderShapeOf(model([port('x', [1, 3, 64, 64], 2)], [FEATURES])), /every port in float32/],
    ['a decoder without sizes', () => decoderShapeOf(model(DECODER_INPUTS.slice(0, 5), DECODER_OUTPUTS)), /the input orig_im_size but it has none/],
    ['a decoder that wants more', () => decoderShapeOf(model([...DECODER_INPUTS, port('prompt_words')], DECODER_OUTPUTS)), /received "prompt_words"/],
    ['a decoder without masks', () => decoderShapeOf(model(DECODER_INPUTS, [port('logits')])), /the outputs masks and iou_predictions but received logits/],
    ['a decoder with a huge earlier mask', () => decoderShapeOf(model([...DECODER_INPUTS.slice(0, 3), port('mask_input', [1, 1, 1e9, 2]), DECODER_INPUTS[5]!], DECODER_OUTPUTS)), /mask input of at most 2048 pixels/],
  ])('refuse %s in one line', (_, read, reason) => {
    expect(read).toThrow(reason);
  }); // prettier-ignore
});

/** Two graphs that remember what they were given. */
function asking(answers: Readonly<Record<string, FloatTensor>>) {
  const asked: Values[] = [];
  const runner = {
    provider: 'fake',
    fusedAttention: false,
    open: () =>
      Promise.resolve({ run: (feeds: Values) => Promise.resolve((asked.push(feeds), answers)), release: () => Promise.resolve() }),
  } as unknown as Runner;
  return { runner, asked };
}

const graph = { name: 'half.onnx', bytes: new Uint8Array() };
const config = { kind: 'onnx', mean: [0.5, 0.25, 0], std: [0.5, 0.25, 1] } as const;
const decoder = { graph, shape: decoderShapeOf(model(DECODER_INPUTS, DECODER_OUTPUTS)) };
const open = (runner: Runner, layout: EncoderShape['layout']) => {
  const shape = { family: 'segment-encoder', input: 'x', output: 'image_embeddings', layout, side: 4 } as const;
  return openOnnxSegmenter(runner, {
    encoder: { graph, shape },
    decoder,
    config: { ...config, mean: [...config.mean], std: [...config.std] },
  });
};

describe('a segmentation model', () => {
  it('is shown planes, normalised and padded, or pixels', async () => {
    const picture = floats([1, 3, 1, 2], Float32Array.of(0.5, 1, 0.25, 0.5, 0, 1));
    const features = floats([1, 1, 1, 1]);
    for (const [layout, expected] of [
      ['planes', [[1, 3, 4, 4], [0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]]],
      ['pixels', [[1, 2, 3], [127.5, 63.75, 0, 255, 127.5, 255]]],
    ] as const) {
      const { runner, asked } = asking({ image_embeddings: features });
      await (await open(runner, layout)).look(picture);
      const { dims, data } = asked[0]!['x'] as FloatTensor;
      const rows = layout === 'planes' ? [0, 16, 32].map((at) => [...data.subarray(at, at + 4)]) : [[...data]];
      expect([dims, ...rows]).toEqual(expected);
    }
  }); // prettier-ignore

  it('sees pictures in their own shape', async () => {
    const segmenter = await open(asking({}).runner, 'planes');
    expect([segmenter.sizeFor({ width: 6000, height: 3000 }), segmenter.sizeFor({ width: 2, height: 90_000 })]).toEqual([
      { width: 4, height: 2 },
      { width: 1, height: 4 },
    ]);
  });

  it.each([
    ['a click', { at: { x: 3, y: 1 } }, [3, 1, 0, 0], [1, -1]],
    ['a box', { box: { x: 1, y: 0, width: 2, height: 2 } }, [1, 0, 3, 2], [2, 3]],
  ] as const)('is asked by %s, from no earlier mask, and its best mask counts', async (_, pointing, places, labels) => {
    const masks = floats(
      [1, 2, 2, 4],
      Float32Array.from({ length: 16 }, (__, i) => i),
    );
    const { runner, asked } = asking({ masks, iou_predictions: floats([1, 2], Float32Array.of(0.2, 0.9)) });
    const found = await (await open(runner, 'planes')).segment(floats([1, 1, 1, 1]), pointing, { width: 4, height: 2 });
    expect([found.dims, [...found.data]]).toEqual([
      [2, 4],
      [8, 9, 10, 11, 12, 13, 14, 15],
    ]);
    const fed = Object.fromEntries(Object.entries(asked[0]!).map(([name, tensor]) => [name, [...(tensor as FloatTensor).data]]));
    expect(fed).toMatchObject({ point_coords: places, point_labels: labels, has_mask_input: [0], orig_im_size: [2, 4] });
    expect(fed['mask_input']).toHaveLength(256 * 256);
  });

  it('whose masks are of another size is refused', async () => {
    const { runner } = asking({ masks: floats([1, 1, 3, 3]), iou_predictions: floats([1, 1]) });
    const segmenter = await open(runner, 'planes');
    await expect(segmenter.segment(floats([1, 1, 1, 1]), { at: { x: 0, y: 0 } }, { width: 4, height: 2 })).rejects.toMatchObject({
      code: 'weights.refused',
      message: expect.stringContaining('masks of 4×2 from half.onnx but received [1, 1, 3, 3]') as string,
    });
  });
});
