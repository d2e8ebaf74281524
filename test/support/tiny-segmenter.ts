import { GraphBuilder } from '#engine/graph/builder.js';

const SIDE = 64;

/** Sees how much redder than green each pixel is, and the contrary, at full size. */
export function tinyEncoder(): Uint8Array {
  const graph = new GraphBuilder('encoder');
  const weights = [1, -1, 0, -1, 1, 0, 0, 0, 0, 0, 0, 0];
  const weight = graph.inline('w', [4, 3, 1, 1], Float32Array.from(weights));
  const features = graph.op('Conv', [graph.input('image', [1, 3, SIDE, SIDE]), weight]);
  graph.output('image_embeddings', features, [1, 4, SIDE, SIDE]);
  return graph.finish().bytes;
}

/** As Segment Anything's own export names it: a click means what is red, a box what is not. */
export function tinyDecoder(): Uint8Array {
  const graph = new GraphBuilder('decoder');
  const features = graph.input('image_embeddings', [1, 4, SIDE, SIDE]);
  graph.input('point_coords', [1, 'points', 2]);
  const labels = graph.input('point_labels', [1, 'points']);
  graph.input('mask_input', [1, 1, 16, 16]);
  graph.input('has_mask_input', [1]);
  const size = graph.cast(graph.input('orig_im_size', [2]), { from: 'float32', to: 'int64' });
  const ends = graph.typed(graph.op('Concat', [graph.integers([2]), size], { axis: 0 }), 'int64');
  const masks = graph.op('Slice', [features, graph.integers([0, 0, 0]), ends, graph.integers([1, 2, 3])]);
  graph.output('masks', masks, [1, 2, 'height', 'width']);
  const sum = graph.op('ReduceSum', [labels, graph.integers([1])], { keepdims: 1 });
  const least = graph.inline('least', [1, 1], Float32Array.of(4));
  graph.output('iou_predictions', graph.op('Concat', [least, sum], { axis: 1 }), [1, 2]);
  return graph.finish().bytes;
}
