import type { Extent } from '#base/geometry.js';

/**
 * Fills the holes of a plane with the smoothest surface that meets its known values (a membrane, Laplace's equation):
 * pushed down a pyramid of weighted averages, pulled back up, then relaxed at every level. `known` is 0..1 per sample.
 */
export function fillMembrane(plane: Float32Array, known: Float32Array, extent: Extent): Float32Array {
  if (extent.width <= 1 && extent.height <= 1) return plane;
  if (known.every((share) => share > 0)) return plane;
  const half = pushDown(plane, known, extent);
  const coarse = fillMembrane(half.plane, half.known, half.extent);
  const result = plane.slice();
  for (let i = 0; i < result.length; i++) {
    if (known[i]! > 0) continue;
    const [x, y] = [i % extent.width, Math.trunc(i / extent.width)];
    result[i] = coarse[(y >> 1) * half.extent.width + (x >> 1)]!;
  }
  relax(result, known, extent);
  return result;
}

function pushDown(plane: Float32Array, known: Float32Array, { width, height }: Extent) {
  const extent = { width: (width + 1) >> 1, height: (height + 1) >> 1 };
  const sums = new Float32Array(extent.width * extent.height);
  const shares = new Float32Array(sums.length);
  for (let i = 0; i < plane.length; i++) {
    const cell = (Math.trunc(i / width) >> 1) * extent.width + ((i % width) >> 1);
    sums[cell]! += plane[i]! * known[i]!;
    shares[cell]! += known[i]!;
  }
  const averages = sums.map((sum, i) => (shares[i]! > 0 ? sum / shares[i]! : 0));
  return { plane: averages, known: shares.map((share) => Math.min(1, share)), extent };
}

const ROUNDS = 24;
/** Over-relaxation: the value that settles fastest once the coarser level has set the shape. */
const EAGERNESS = 1.5;

/** Gauss-Seidel: every unknown sample becomes the mean of its neighbours. */
function relax(plane: Float32Array, known: Float32Array, { width, height }: Extent): void {
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < plane.length; i++) {
      if (known[i]! > 0) continue;
      const [x, y] = [i % width, Math.trunc(i / width)];
      const left = plane[x > 0 ? i - 1 : i]!;
      const right = plane[x < width - 1 ? i + 1 : i]!;
      const above = plane[y > 0 ? i - width : i]!;
      const below = plane[y < height - 1 ? i + width : i]!;
      plane[i]! += EAGERNESS * ((left + right + above + below) / 4 - plane[i]!);
    }
  }
}
