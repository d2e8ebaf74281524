import { GraphBuilder } from '#engine/graph/builder.js';
import type { Runner } from '#engine/tensor/runner.js';
import { floats } from '#engine/tensor/tensor.js';

const SIDE = 512;
const RUNS = 5;

/** The machine's dense fp32 rate in GFLOP/s: the best of a few 512³ matrix products. */
export async function measureGemmRate(runner: Runner): Promise<number> {
  const graph = new GraphBuilder('gemm-rate');
  const a = graph.input('a', [SIDE, SIDE]);
  const b = graph.input('b', [SIDE, SIDE]);
  graph.output('c', graph.op('MatMul', [a, b]), [SIDE, SIDE]);
  const session = await runner.open(graph.finish());
  const matrix = floats([SIDE, SIDE]);
  matrix.data.fill(0.5);
  let bestMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < RUNS; i++) {
    const started = performance.now();
    await session.run({ a: matrix, b: matrix });
    bestMs = Math.min(bestMs, performance.now() - started);
  }
  await session.release();
  return (2 * SIDE ** 3) / 1e6 / bestMs;
}
