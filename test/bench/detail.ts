import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { CancelledError } from '#contract/errors.js';
import { detailScales } from '#engine/detail/detail.js';
import { DetailWorkers } from '#engine/detail/workers.js';
import type { Mask, Photo } from '#engine/image/files/photo.js';

const PROTOTYPE = path.resolve('../shared/spikes/detail/detail.cpp');
const CASES = [
  { name: '600×600 hole in 12 MP', width: 4000, height: 3000, side: 600 },
  { name: '1200×1200 hole in 24 MP', width: 6000, height: 4000, side: 1200 },
];

/** Shares of a whole run. */
const RUNS = 5;

const ENDED_AT = [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95];

interface Case {
  readonly width: number;
  readonly height: number;
  readonly side: number;
}

/** Processor time of the detail scales, pyramid and melt included, beside the prototype's core, which has neither. */
export async function detailLines(): Promise<readonly string[]> {
  const core = compileCore();
  const rows: string[] = [];
  for (const hole of CASES) {
    const scene = sceneOf(hole);
    const [own, cores]: [Measured[], number[]] = [[], []];
    for (let run = 0; run < RUNS; run++) {
      own.push(await measure(scene));
      if (core !== undefined) cores.push(coreSeconds(core, hole));
    }
    const [seconds, ms] = [Math.min(...own.map((run) => run.seconds)), Math.min(...own.map((run) => run.ms))];
    const peakMb = Math.max(...own.map((run) => run.peakMb));
    const late = await slowestEnd(scene, ms);
    const prototype = core === undefined ? undefined : Math.min(...cores);
    const ratio = prototype === undefined ? 'no prototype here' : `${prototype.toFixed(2)} s · ${(seconds / prototype).toFixed(2)}`;
    rows.push(`| ${hole.name} | ${seconds.toFixed(2)} s | ${peakMb.toFixed(0)} MB | ${ratio} | ${late.toFixed(0)} ms |`);
  }
  if (core !== undefined) rmSync(path.dirname(core), { recursive: true });
  return [
    '',
    '## Detail scales',
    `Processor time on two workers, least of ${RUNS} runs in turns with the prototype’s core in C++ (one thread, AVX2, no pyramid, no melt): its time and the ratio; memory on top; and the longest time from a cancellation to the end, least of ${RUNS} at each place.`,
    '',
    '| hole | time | memory | prototype · ratio | ended after |',
    '|---|---|---|---|---|',
    ...rows,
  ];
}

interface Scene {
  readonly photo: Photo;
  readonly weight: Mask;
}

/** Of a hole in the middle of a textured photograph. */
function sceneOf({ width, height, side }: Case): Scene {
  const extent = { width, height };
  const photo = texture(extent);
  const weight: Mask = { extent, values: new Uint8Array(width * height) };
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  for (let y = top; y < top + side; y++) weight.values.fill(255, y * width + left, y * width + left + side);
  return { photo, weight };
}

interface Measured {
  readonly seconds: number;
  readonly peakMb: number;
  readonly ms: number;
}

async function measure(scene: Scene): Promise<Measured> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
  const workers = new DetailWorkers(2);
  const [started, startedMs] = [process.cpuUsage(), performance.now()];
  const run = detailScales({ ...scene, shown: 4, seeds: [1], workers }, NEVER_CANCELLED);
  while (!(await run.next()).done) peak = Math.max(peak, process.memoryUsage.rss());
  clearInterval(watch);
  await workers.close();
  const { user, system } = process.cpuUsage(started);
  return { seconds: (user + system) / 1e6, peakMb: (peak - before) / 2 ** 20, ms: performance.now() - startedMs };
}

/** Milliseconds from a cancellation to the end, least of some tries, at most wherever a run of `ms` milliseconds is. */
async function slowestEnd(scene: Scene, ms: number): Promise<number> {
  const workers = new DetailWorkers(2);
  let slowest = 0;
  for (const share of ENDED_AT) {
    const ends: number[] = [];
    for (let run = 0; run < RUNS; run++) ends.push(await endAfter(scene, share * ms, workers));
    slowest = Math.max(slowest, Math.min(...ends));
  }
  await workers.close();
  return slowest;
}

/** Milliseconds from a cancellation at `ms` to the end; 0 where it came too late. */
async function endAfter(scene: Scene, ms: number, workers: DetailWorkers): Promise<number> {
  const signal = { aborted: false, reason: undefined };
  let asked = 0;
  const timer = setTimeout(() => {
    asked = performance.now();
    signal.aborted = true;
  }, ms);
  try {
    const run = detailScales({ ...scene, shown: 4, seeds: [1], workers }, signal);
    while (!(await run.next()).done);
    return 0;
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    return performance.now() - asked;
  } finally {
    clearTimeout(timer);
  }
}

function texture(extent: { width: number; height: number }): Photo {
  const samples = new Uint8Array(extent.width * extent.height * 3);
  for (let i = 0; i < samples.length; i++) {
    const [c, pixel] = [i % 3, Math.trunc(i / 3)];
    const noise = (Math.imul(pixel, 2654435761) >>> 24) / 255;
    const light =
      0.4 + 0.15 * Math.sin((pixel % extent.width) / 9 + c) + 0.1 * Math.sin(Math.trunc(pixel / extent.width) / 13) + 0.15 * noise;
    samples[i] = Math.round(255 * light);
  }
  return { extent, channels: 3, samples, format: 'png', notices: [] };
}

/** The prototype as a program; undefined where its source or a compiler is missing. */
function compileCore(): string | undefined {
  if (!existsSync(PROTOTYPE)) return undefined;
  const program = path.join(mkdtempSync(path.join(os.tmpdir(), 'scalebrush-core-')), 'core');
  const flags = ['-O3', '-march=x86-64-v3', '-ffast-math', `-DPROTOTYPE="${PROTOTYPE}"`, 'test/bench/prototype-core.cpp', '-o', program];
  return spawnSync('g++', flags, { stdio: 'ignore' }).status === 0 ? program : undefined;
}

function coreSeconds(core: string, { width, height, side }: Case): number {
  return Number(execFileSync(core, [String(width), String(height), String(side)]).toString());
}
