import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { Grid } from '#base/geometry.js';
import type { NarSizes } from '#engine/networks/nar/architecture.js';
import { openNar, type NarPredictor } from '#engine/networks/nar/predictor.js';
import { rotaryOfGrid } from '#engine/networks/llamagen/rotary-grid.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { DiagonalQuantiser } from '#engine/sampling/diagonal-quantiser.js';
import { guide } from '#engine/sampling/guidance.js';
import { runScales, type ScaleStep } from '#engine/sampling/scale-loop.js';
import { cellsOf, diagonalsOf } from '#engine/tensor/diagonals.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

interface Manifest {
  readonly grid: number;
  readonly dim: number;
  readonly heads: number;
  readonly layers: number;
  readonly extra_layers: number;
  readonly vocab: number;
  readonly text_slots: number;
  readonly caption: number;
}

interface Run {
  readonly cfg: number;
  readonly cfg_interval: number;
  readonly tokens: readonly (readonly number[])[];
  readonly steps: readonly { readonly cells: readonly (readonly [number, number])[]; readonly margin: readonly number[] }[];
  readonly keep: readonly (readonly number[])[] | null;
}

const LOGIT_LIMIT = 5e-4;
/** Where the two best tokens are closer, either may win. */
const TOKEN_MARGIN = 1e-3;
const RUNS = ['generate', 'generate_unguided', 'generate_interval', 'expand_right', 'inpaint'];

/** Sets made by the published code, and one of our own reference (reference/nar.py). */
const SETS = [
  { name: 'the published code (needs the reference fixtures)', fixture: new Fixture(fixturesFolder(), 'nar-tiny') },
  { name: 'reference/nar.py', fixture: new Fixture('test/golden/nar-mini') },
];

describe.each(SETS)('NAR, compared with $name', ({ fixture }) => {
  const runner = new OnnxRunner();
  let predictor: NarPredictor | undefined;
  let sizes: NarSizes;
  let text: FloatTensor;
  let quantiser: DiagonalQuantiser;

  beforeAll(async () => {
    if (!fixture.exists) return;
    const made = fixture.json('checkpoint.json') as Manifest;
    sizes = {
      depth: made.layers + made.extra_layers,
      width: made.dim,
      heads: made.heads,
      entries: made.vocab,
      grid: [made.grid, made.grid],
      text: { width: made.caption, maxTokens: made.text_slots },
    };
    predictor = await openNar(runner, Weights.of(await openCheckpoint(fixture.file('t2i_tiny.pt'))), sizes);
    text = fixture.array('fx/text.npy');
    // Tokens are all that these sets are about: any codes do.
    const codes = floats(
      [made.vocab, 2],
      Float32Array.from({ length: 2 * made.vocab }, (_, i) => i),
    );
    quantiser = new DiagonalQuantiser({ grid: sizes.grid, codebook: new Codebook(codes) });
  });

  afterAll(() => predictor?.release());

  it.skipIf(!fixture.exists)('turns tokens by the same angles', () => {
    const { cos, sin } = rotaryOfGrid(sizes.grid, sizes.width / sizes.heads);
    const ours = Float32Array.from({ length: 2 * cos.data.length }, (_, i) => (i % 2 === 0 ? cos : sin).data[Math.floor(i / 2)]!);
    expect(maxDifference(ours, fixture.array('fx/rotary.npy').data)).toBeLessThan(1e-5);
  });

  it.skipIf(!fixture.exists).each(RUNS)('draws the same tokens: %s', async (name) => {
    const run = fixture.json(`fx/${name}.json`) as Run;
    const steps = await drawn(run);
    const diagonals = diagonalsOf(sizes.grid);
    const wanted = diagonals.map((diagonal) => onDiagonal(run.tokens, cellsOf(diagonal, sizes.grid)));
    run.steps.forEach(({ cells, margin }, step) => {
      const own = [...steps[step]!.tokens];
      expect(cells.map(([row, column]) => row * sizes.grid[1] + column)).toEqual(cellsOf(diagonals[step]!, sizes.grid));
      own.forEach((token, i) => {
        if (margin[i]! > TOKEN_MARGIN || run.keep?.[cells[i]![0]]?.[cells[i]![1]] === 1)
          expect(token, `step ${step}, cell ${i}`).toBe(wanted[step]![i]);
      });
    });
    if (!fixture.has(`fx/${name}_logits.npy`)) return;
    const logits = fixture.array(`fx/${name}_logits.npy`);
    const { rows } = fixture.json(`fx/${name}_logits_rows.json`) as { rows: readonly (readonly [number, number])[] };
    rows.forEach(([step, cell], i) => {
      const guided = guide(steps[step]!.logits, guidanceOf(run)[step]!);
      const ours = guided.subarray(cell * sizes.entries, (cell + 1) * sizes.entries);
      expect(maxDifference(ours, logits.data.subarray(i * sizes.entries, (i + 1) * sizes.entries)), `${step}, ${cell}`).toBeLessThan(
        LOGIT_LIMIT,
      );
    });
  });

  it.skipIf(!fixture.exists)('says the same of what lies to the right and below', async () => {
    const { tokens } = fixture.json('fx/generate.json') as Run;
    const run = await predictor!.begin({ text: { kind: 'features', features: text }, guided: true });
    await run.readText();
    const diagonals = diagonalsOf(sizes.grid).slice(0, 5);
    let last = await run.readDiagonal(0, onDiagonal(tokens, cellsOf(diagonals[0]!, sizes.grid)));
    for (const diagonal of diagonals.slice(1))
      last = await run.readDiagonal(diagonal.index, onDiagonal(tokens, cellsOf(diagonal, sizes.grid)));
    const both = fixture.array('fx/generate_right_below_step5.npy'); // (2, B, 5, V)
    expect(maxDifference(last.right.data, both.data.subarray(0, both.data.length / 2))).toBeLessThan(LOGIT_LIMIT);
    expect(maxDifference(last.below.data, both.data.subarray(both.data.length / 2))).toBeLessThan(LOGIT_LIMIT);
  });

  function onDiagonal(tokens: readonly (readonly number[])[], cells: readonly number[]): number[] {
    return cells.map((cell) => tokens.flat()[cell]!);
  }

  /** The published interval ends guidance once more than so many tokens are done. */
  function guidanceOf({ cfg, cfg_interval: interval }: Run): number[] {
    let done = 0;
    return quantiser.schedule.map((grid: Grid) => {
      const guidance = interval >= 0 && done > interval ? 1 : cfg;
      done += grid[0] * grid[1];
      return guidance;
    });
  }

  async function drawn(run: Run): Promise<ScaleStep[]> {
    const { keep } = run;
    const given = fixture.json('fx/given_tokens.json') as { tokens: readonly (readonly number[])[] };
    const kept = keep && {
      features: quantiser.emptySum(),
      sourceTokens: diagonalsOf(sizes.grid).map((diagonal) => Uint16Array.from(onDiagonal(given.tokens, cellsOf(diagonal, sizes.grid)))),
      keepMask: floats(
        [1, ...sizes.grid],
        Float32Array.from(keep.flat(), (value) => 1 - value),
      ),
    };
    const plan = {
      predictor: predictor!,
      quantiser,
      conditioning: { text: { kind: 'features' as const, features: text }, guided: run.cfg !== 1 },
      sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
      guidance: guidanceOf(run),
      layers: quantiser.schedule.map(() => []),
      lockedScales: 0,
      given: [],
      until: quantiser.scales,
      ...kept,
    };
    const steps: ScaleStep[] = [];
    for await (const step of runScales(plan, NEVER_CANCELLED)) steps.push(step);
    return steps;
  }
});
