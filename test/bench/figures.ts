import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import * as v from 'valibot';
import type { Timings } from '#contract/event.js';
import type { PackCard } from '#contract/pack-card.js';
import { EditRequest, PRESETS, type EditRequestInput, type Preset } from '#contract/request.js';
import { startEngine } from '#engine/door/client.js';
import { transformerWork } from '#engine/door/cost-model.js';
import type { Engine, InstalledPack } from '#engine/door/engine.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { measureGemmRate } from '#engine/runtime/profile.js';
import { machine } from './machine.js';
import { median } from './median.js';

const RUNS = 7;
const SIZES = [
  [512, 512],
  [1920, 1080],
  [4000, 3000],
  [6000, 4000],
] as const;
const INSTRUCTION = 'make it warmer';

/** Two sections of the results, and what the main README says of them. */
export interface Figures {
  readonly presets: readonly string[];
  readonly sizes: readonly string[];
  readonly readme: readonly string[];
}

/** Whole edits with the built-in pack, by preset and by the size of the picture. */
export async function measureFigures(root: string, pack: InstalledPack): Promise<Figures> {
  const gemm = await measureGemmRate(await createRunner({ provider: 'cpu' }));
  const engine = startEngine({ entry: path.join(root, 'dist/main/inference.js') });
  try {
    const presets = await presetRows({ engine, pack, root, gemm });
    const sizes = await sizeRows({ pack, root });
    const where = `On ${machine()} (${gemm.toFixed(0)} GFLOP/s in float32, 512³), Node ${process.version}, medians of ${RUNS} warm runs.`;
    return {
      presets: presetLines(presets, where),
      sizes: sizeLines(sizes, where),
      readme: readmeLines({ presets, sizes, where }),
    };
  } finally {
    await engine.close();
  }
}

interface Measured {
  readonly totalMs: number;
  readonly firstPreviewMs: number;
  readonly timings: Timings;
  readonly peakRssBytes: number;
}

/** One whole edit as a host sees it: request out, candidate back. */
async function measure(
  engine: Engine,
  pack: InstalledPack,
  { request, source }: { request: EditRequestInput; source: Uint8Array },
): Promise<Measured> {
  const started = performance.now();
  let firstPreviewMs = Number.NaN;
  const job = { request: v.parse(EditRequest, { source: 'a', ...request }), pack, pictures: { a: source } };
  for await (const event of engine.run(job, { aborted: false, reason: undefined })) {
    if (event.type === 'preview' && Number.isNaN(firstPreviewMs)) firstPreviewMs = performance.now() - started;
    if (event.type === 'failed') throw new Error(event.error.message);
    if (event.type === 'done') {
      return { totalMs: performance.now() - started, firstPreviewMs, timings: event.timingsMs, peakRssBytes: event.peakRssBytes };
    }
  }
  throw new Error('Expected the run to end with done.');
}

async function series(
  engine: Engine,
  pack: InstalledPack,
  work: { request: EditRequestInput; source: Uint8Array },
): Promise<readonly Measured[]> {
  await measure(engine, pack, work); // warm
  const all: Measured[] = [];
  for (let i = 0; i < RUNS; i++) all.push(await measure(engine, pack, work));
  return all;
}

export async function scene(root: string, [width, height]: readonly [number, number]): Promise<Uint8Array> {
  const file = path.join(root, 'test/fixtures/sketch/case-edit-source.png');
  return new Uint8Array(
    await sharp(await readFile(file))
      .resize(width, height, { fit: 'fill' })
      .jpeg({ quality: 92 })
      .toBuffer(),
  );
}

const ms = (value: number) => value.toFixed(value < 10 ? 1 : 0);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

interface Bench {
  readonly engine: Engine;
  readonly pack: InstalledPack;
  readonly root: string;
}

interface PresetRow {
  readonly preset: Preset;
  readonly layers: number;
  /** Milliseconds of each scale, without previews. */
  readonly scales: readonly number[];
  readonly lateRatio: number;
  /** Of the machine's GEMM rate, 0..1. */
  readonly gemmShare: number;
  readonly previewMs: number;
  readonly totalMs: number;
  /** Previews' share of all, 0..1. */
  readonly previews: number;
}

async function presetRows({ engine, pack, root, gemm }: Bench & { readonly gemm: number }): Promise<readonly PresetRow[]> {
  const { card } = pack;
  const source = await scene(root, [1024, 1024]);
  const rows: PresetRow[] = [];
  let best = Number.NaN;
  for (const preset of PRESETS) {
    const request = { task: 'edit' as const, instruction: INSTRUCTION, preset, guidance: 1 };
    const runs = await series(engine, pack, { source, request });
    // While a preview is sent off, the next scale is under way already: its own time is that without them.
    const unseen = await series(engine, pack, { source, request: { ...request, previews: false } });
    const scales = card.config.transformer.scales.map((_, k) => median(unseen.map((run) => run.timings.scales[k] ?? Number.NaN)));
    const late = sum(scales.slice(-card.config.transformer.lateScales));
    if (preset === 'best') best = late;
    rows.push({
      preset,
      layers: card.presets[preset],
      scales,
      lateRatio: best / late,
      gemmShare: gflopsOf(card, preset, sum(scales)) / gemm,
      previewMs: median(runs.map((run) => run.firstPreviewMs)),
      totalMs: median(runs.map((run) => run.totalMs)),
      previews: mean(runs.map((run) => sum(run.timings.previews) / run.totalMs)),
    });
  }
  return rows;
}

/** GFLOP/s of the transformer. */
function gflopsOf(card: PackCard, preset: Preset, transformerMs: number): number {
  return transformerWork(card, { preset, guided: false }).flops / 1e6 / transformerMs;
}

function presetLines(rows: readonly PresetRow[], where: string): readonly string[] {
  return [
    '',
    '## Presets: instruction edit of a 1024×1024 photograph, guidance 1',
    '',
    where,
    '',
    '| preset | layers on late scales | per scale, ms | all scales, ms | late scales against best | share of GEMM rate | first preview, ms | end to end, ms | previews add |',
    '|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => {
      const cells = [
        row.preset,
        row.layers,
        row.scales.map(ms).join(' '),
        ms(sum(row.scales)),
        times(row.lateRatio),
        percent(row.gemmShare),
        ms(row.previewMs),
        ms(row.totalMs),
        percent(row.previews),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  ];
}

interface SizeRow {
  readonly picture: string;
  readonly previewMs: number;
  readonly totalMs: number;
  readonly compositeMs: number;
  readonly rssMb: number;
}

/** Each size with a process of its own: its peak is no larger picture's. */
async function sizeRows({ pack, root }: Omit<Bench, 'engine'>): Promise<readonly SizeRow[]> {
  const rows: SizeRow[] = [];
  for (const size of SIZES) {
    const engine = startEngine({ entry: path.join(root, 'dist/main/inference.js') });
    try {
      const request = { task: 'edit' as const, instruction: INSTRUCTION, output: { format: 'jpeg' as const } };
      const runs = await series(engine, pack, { source: await scene(root, size), request });
      rows.push({
        picture: `${size[0]}×${size[1]} JPEG`,
        previewMs: median(runs.map((run) => run.firstPreviewMs)),
        totalMs: median(runs.map((run) => run.totalMs)),
        compositeMs: median(runs.map((run) => run.timings.composite)),
        rssMb: Math.max(...runs.map((run) => run.peakRssBytes)) / 2 ** 20,
      });
    } finally {
      await engine.close();
    }
  }
  return rows;
}

function sizeLines(rows: readonly SizeRow[], where: string): readonly string[] {
  return [
    '',
    '## End to end by size (balanced)',
    '',
    where,
    '',
    '| picture | first preview, ms | median, ms | composite, ms | peak RSS, MB |',
    '|---|---|---|---|---|',
    ...rows.map(
      ({ picture, previewMs, totalMs, compositeMs, rssMb }) =>
        `| ${picture} | ${ms(previewMs)} | ${ms(totalMs)} | ${ms(compositeMs)} | ${rssMb.toFixed(0)} |`,
    ),
  ];
}

/** As the main README has them, to be put there. */
function readmeLines({
  presets,
  sizes,
  where,
}: {
  presets: readonly PresetRow[];
  sizes: readonly SizeRow[];
  where: string;
}): readonly string[] {
  const range = (values: readonly number[], unit: string) => `${Math.min(...values).toFixed(0)}–${Math.max(...values).toFixed(0)}${unit}`;
  const [, ...lighter] = presets.map(({ lateRatio }) => times(lateRatio));
  return [
    `${where} Preset \`balanced\`:`,
    '',
    '| picture | first preview | end to end | peak memory of the inference process |',
    '|---|---|---|---|',
    ...sizes
      .slice(1)
      .map(
        ({ picture, previewMs, totalMs, rssMb }) => `| ${picture} | ${ms(previewMs)} ms | ${seconds(totalMs)} | ${rssMb.toFixed(0)} MB |`,
      ),
    '',
    `All scales of the model take ${range(presets.map(({ scales }) => sum(scales)), ' ms')} of that; decoding, compositing and encoding the photograph are the rest. The last two scales run ${lighter.slice(0, -1).join(', ')} and ${lighter.at(-1) ?? ''} faster at \`balanced\`, \`fast\` and \`draft\` than at \`best\`. The small matrices of this pack reach ${range(presets.map(({ gemmShare }) => 100 * gemmShare), ' %')} of the machine's GEMM rate.`, // prettier-ignore
  ];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const times = (ratio: number) => `${ratio.toFixed(2)}×`;
const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 2 : 1)} s`;
