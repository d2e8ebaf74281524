import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import * as v from 'valibot';
import type { Timings } from '#contract/event.js';
import { PackCard } from '#contract/pack-card.js';
import { EditRequest, PRESETS, type EditRequestInput, type Preset } from '#contract/request.js';
import { startEngine } from '#engine/door/client.js';
import { transformerWork } from '#engine/door/cost-model.js';
import type { Engine, InstalledPack } from '#engine/door/engine.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { measureGemmRate } from '#engine/runtime/profile.js';
import { busLines } from './bus.js';
import { detailLines } from './detail.js';
import { farmLines } from './farm.js';
import { machine } from './machine.js';
import { median } from './median.js';
import { sectionSoFar, writeResults, writeSection } from './results.js';
import { serverLines } from './server.js';
import { pixelLines } from './pixels.js';
import { startTimes } from './start.js';
import { trueSizeLines } from './true-size.js';

const RUNS = 7;
const FARM_PICTURE = [1024, 768] as const;
const root = process.cwd();

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

async function scene(width: number, height: number): Promise<Uint8Array> {
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

/** `npm run bench -- farm` measures that section alone. */
async function main(only?: string, ...more: readonly string[]): Promise<void> {
  if (only === undefined) await measureAll();
  else if (only === 'true-size') await measureTrueSizes(more);
  else if (only === 'farm') await writeSection(await farmLines(await scene(...FARM_PICTURE)));
  else if (only === 'server') await writeSection(await serverLines());
  else if (only === 'pixels') await writeSection(await pixelLines(root, await builtIn()));
  else if (only === 'bus') await writeSection(await busLines(root, await builtIn()));
  else throw new Error(`Expected farm, server, pixels, bus, true-size, or nothing, for a section but received "${only}".`);
}

async function measureTrueSizes([folder, python]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new Error('Expected a folder for 35 GB of random weights and packs.');
  await writeSection(await trueSizeLines({ root, folder: path.resolve(folder), python }));
}

async function builtIn(): Promise<InstalledPack> {
  const folder = path.join(root, 'models/sketch');
  return { card: v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8'))), folder };
}

async function measureAll(): Promise<void> {
  const pack = await builtIn();
  const { card } = pack;
  const gemm = await measureGemmRate(await createRunner({ provider: 'cpu' }));
  const engine = startEngine({ entry: path.join(root, 'dist/main/inference.js') });
  const source = await scene(1024, 1024);
  const lines = [
    '# Bench results',
    '',
    `Made by \`npm run bench\` on ${machine()}, Node ${process.version}, ${os.platform()}. Medians of ${RUNS} warm runs. Compare ratios inside one table, not times across machines.`,
    '',
    `GEMM rate of the machine (fp32, 512³): **${gemm.toFixed(0)} GFLOP/s**.`,
    '',
    '## Presets: instruction edit of a 1024×1024 photograph, guidance 1',
    '',
    '| preset | layers on late scales | per scale, ms | all scales, ms | late scales against best | share of GEMM rate | first preview, ms | end to end, ms | previews add |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  let best = Number.NaN;
  for (const preset of PRESETS) {
    const runs = await series(engine, pack, { source, request: { task: 'edit', instruction: 'make it warmer', preset, guidance: 1 } });
    const scales = card.config.transformer.scales.map((_, k) => median(runs.map((run) => run.timings.scales[k] ?? Number.NaN)));
    const late = scales.slice(-card.config.transformer.lateScales).reduce((sum, value) => sum + value, 0);
    if (preset === 'best') best = late;
    lines.push(presetRow({ card, preset, scales, runs, gemm, lateRatio: best / late }));
  }
  lines.push(
    '',
    '## End to end by size (balanced)',
    '',
    '| picture | first preview, ms | median, ms | composite, ms | peak RSS, MB |',
    '|---|---|---|---|---|',
  );
  for (const [width, height] of [
    [512, 512],
    [1920, 1080],
    [4000, 3000],
    [6000, 4000],
  ] as const) {
    const runs = await series(engine, pack, {
      source: await scene(width, height),
      request: { task: 'edit', instruction: 'make it warmer', output: { format: 'jpeg' } },
    });
    const composite = ms(median(runs.map((run) => run.timings.composite)));
    const rss = Math.max(...runs.map((run) => run.peakRssBytes)) / 1024 / 1024;
    lines.push(
      `| ${width}×${height} JPEG | ${ms(median(runs.map((run) => run.firstPreviewMs)))} | ${ms(median(runs.map((run) => run.totalMs)))} | ${composite} | ${rss.toFixed(0)} |`,
    );
  }
  await engine.close();
  lines.push(...(await pixelLines(root, pack)), ...(await busLines(root, pack)));
  lines.push(...(await startLines()), ...(await detailLines()));
  lines.push(...(await serverLines()));
  lines.push(...(await farmLines(await scene(...FARM_PICTURE))));
  // Hours and tens of gigabytes: measured by `npm run bench -- true-size`, told here as they were.
  lines.push(await sectionSoFar('## True sizes'));
  const byHand = await readFile(path.join(root, 'test/bench/BY_HAND.md'), 'utf8');
  await writeResults(`${lines.join('\n')}\n\n${byHand}`);
}

async function startLines(): Promise<readonly string[]> {
  const { times, isReal } = await startTimes(root, RUNS);
  const what = isReal ? 'Electron' : 'the double of Electron (Chromium’s own start included)';
  const title = ['', '## Start of the desktop', ''];
  return [
    ...title,
    `From the command to a window that takes a photo, on ${what}: **${ms(median(times))} ms** (at most ${ms(Math.max(...times))} ms).`,
  ];
}

interface PresetRow {
  readonly card: PackCard;
  readonly preset: Preset;
  readonly scales: readonly number[];
  readonly runs: readonly Measured[];
  readonly gemm: number;
  readonly lateRatio: number;
}

function presetRow({ card, preset, scales, runs, gemm, lateRatio }: PresetRow): string {
  const transformerMs = scales.reduce((sum, value) => sum + value, 0);
  const share = transformerWork(card, { preset: preset, guided: false }).flops / 1e6 / transformerMs / gemm;
  const previews = mean(runs.map((run) => run.timings.previews.reduce((sum, value) => sum + value, 0) / run.totalMs));
  const cells = [
    preset,
    card.presets[preset],
    scales.map(ms).join(' '),
    ms(transformerMs),
    `${lateRatio.toFixed(2)}×`,
    `${(share * 100).toFixed(0)} %`,
    ms(median(runs.map((run) => run.firstPreviewMs))),
    ms(median(runs.map((run) => run.totalMs))),
    `${(previews * 100).toFixed(0)} %`,
  ];
  return `| ${cells.join(' | ')} |`;
}

await main(...process.argv.slice(2));
