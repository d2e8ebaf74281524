import { at } from '#base/assert.js';

/** Row-major and dense. The stride of a dimension of one element says nothing. */
export function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  return isDenseIn([...shape.keys()], shape, strides);
}

/** Every element once and without holes, whatever the order of the axes: what `permute` leaves behind. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  const outermostFirst = [...shape.keys()].filter((axis) => at(shape, axis) !== 1).sort((a, b) => at(strides, b) - at(strides, a));
  return isDenseIn(outermostFirst, shape, strides);
}

function isDenseIn(axes: readonly number[], shape: readonly number[], strides: readonly number[]): boolean {
  let dense = 1;
  for (const axis of axes.toReversed()) {
    const dim = at(shape, axis);
    if (dim !== 1 && at(strides, axis) !== dense) return false;
    dense *= dim;
  }
  return true;
}

interface Layout {
  readonly shape: readonly number[];
  /** In elements. */
  readonly strides: readonly number[];
  readonly elementBytes: number;
}

/** The same elements row by row. */
export function inRowOrder(stored: Uint8Array, { shape, strides, elementBytes }: Layout): Buffer {
  const ordered = Buffer.alloc(stored.length);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < stored.length; to += elementBytes) {
    ordered.set(stored.subarray(from * elementBytes, (from + 1) * elementBytes), to);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= strides[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return ordered;
}
