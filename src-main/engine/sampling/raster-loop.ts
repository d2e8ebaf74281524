import { at } from '#base/assert.js';
import type { Cancellation } from '#base/cancellation.js';
import { throwIfCancelled } from '#contract/errors.js';
import type { RasterPredictor, RasterRun } from '#engine/tensor/predictor.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { guideFinite, samplingAt, type ScalePlan, type ScaleStep } from './scale-loop.js';

// B rows of logits · W tokens of a row · V codebook entries

export type RasterPlan = Pick<ScalePlan, 'quantiser' | 'conditioning' | 'sampling' | 'temperatures' | 'guidance' | 'given' | 'until'> & {
  readonly predictor: RasterPredictor;
};

/** Next-token prediction in raster order (LlamaGen, ControlAR). Yields after every row; stops between tokens when cancelled. */
export async function* runRows(plan: RasterPlan, signal: Cancellation): AsyncGenerator<ScaleStep, void> {
  const begun = performance.now();
  const run = await plan.predictor.beginRaster(plan.conditioning);
  const beginMs = performance.now() - begun;
  let sum = plan.quantiser.emptySum();
  let previous: number | undefined;
  for (let row = 0; row < plan.until; row++) {
    const started = performance.now();
    const { tokens, logits } = await drawRow({ ...plan, run }, { row, previous }, signal);
    previous = tokens.at(-1);
    sum = plan.quantiser.add(sum, tokens, row);
    yield { scale: row, tokens, sum, logits, ms: performance.now() - started, ...(row === 0 && { beginMs }) };
  }
}

interface Place {
  readonly row: number;
  readonly previous: number | undefined;
}

async function drawRow(plan: RasterPlan & { readonly run: RasterRun }, { row, previous }: Place, signal: Cancellation) {
  const width = plan.quantiser.tokens(row);
  const tokens = new Uint16Array(width);
  const perToken: FloatTensor[] = [];
  for (let column = 0; column < width; column++) {
    throwIfCancelled(signal);
    const logits = await plan.run.next(column === 0 ? previous : tokens[column - 1]);
    perToken.push(logits);
    tokens[column] = plan.given[row]?.[column] ?? draw(plan, logits, { row, column });
  }
  return { tokens, logits: joined(perToken) };
}

function draw(plan: RasterPlan, logits: FloatTensor, place: { row: number; column: number }): number {
  const { row, column } = place;
  const { quantiser } = plan;
  const guided = guideFinite(logits, at(plan.guidance, row), row);
  return quantiser.draw(guided, samplingAt(plan, row), row * quantiser.tokens(row) + column)[0]!;
}

/** W times `[B, 1, V]` → `[B, W, V]`. */
function joined(perToken: readonly FloatTensor[]): FloatTensor {
  const [batch = 0, , entries = 0] = at(perToken, 0).dims;
  const logits = floats([batch, perToken.length, entries]);
  perToken.forEach(({ data }, column) => {
    for (let b = 0; b < batch; b++) {
      logits.data.set(data.subarray(b * entries, (b + 1) * entries), (b * perToken.length + column) * entries);
    }
  });
  return logits;
}
