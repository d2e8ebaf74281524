import path from 'node:path';
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { cellCount, type Grid } from '#base/geometry.js';
import { EditRequest } from '#contract/request.js';
import type { InstalledPack } from '#engine/door/engine.js';
import { openPack } from '#engine/door/open-pack.js';
import { areaWeights } from '#engine/networks/area.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import { createRunner } from '#engine/runtime/ort-runner.js';
import { WatchedRunner } from '../support/watched-runner.js';
import { webGpuWorks } from '../support/webgpu.js';
import { machine } from './machine.js';

const TITLE = '## Keys and values on a device';
const FLOAT_BYTES = 4;
const KINDS = 2;

/** What of a transformer its keys and values depend on. */
interface Rows {
  readonly scales: readonly Grid[];
  readonly sourceTokens: number;
  readonly depth: number;
  readonly width: number;
  /** Two under guidance. */
  readonly batch: number;
}

const squares = (...sides: readonly number[]): readonly Grid[] => sides.map((side): Grid => [side, side]);

/** VAREdit-2B at 512 pixels, with guidance. */
export const VAREDIT_2B: Rows = {
  scales: squares(1, 2, 4, 6, 8, 12, 16, 20, 24, 32),
  sourceTokens: 1024,
  depth: 32,
  width: 2048,
  batch: 2,
};

/** Bytes of keys and values that cross a bus at each picture: with the cache in the machine's own memory, and on the device. */
export function busBytes({ scales, sourceTokens, depth, width, batch }: Rows): { readonly before: number; readonly after: number } {
  let seen = sourceTokens;
  let rows = sourceTokens; // down: the source's own
  for (const grid of scales) {
    rows += seen + cellCount(grid); // up: all before it; down: its own
    seen += cellCount(grid);
  }
  const finest = scales.at(-1)!;
  // Layer 0 sees the source at each scale's own resolution: what pools it there is all that goes over.
  const pooling = scales
    .slice(0, -1)
    .map((grid) => areaWeights(finest[0], grid[0]).data.byteLength + areaWeights(finest[1], grid[1]).data.byteLength);
  return { before: rows * depth * width * KINDS * batch * FLOAT_BYTES, after: KINDS * pooling.reduce((sum, bytes) => sum + bytes, 0) };
}

/** Keys and values of an edit on WebGPU, be it in software: how many of their bytes go over the bus. */
export async function busLines(root: string, pack: InstalledPack): Promise<readonly string[]> {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(2);
  const row = (name: string, { before, after }: { before: number; after: number }) =>
    `| ${name} | ${megabytes(after)} : ${megabytes(before)} MB | ${(after / before).toFixed(4)} | ≤ 0.01 |`;
  const measured = (await webGpuWorks())
    ? [row('built-in pack, guidance 2, an edit of 256 pixels, counted', await counted(root, pack))]
    : ['| built-in pack: no WebGPU here, not even in software | – | – | ≤ 0.01 |'];
  return [
    '',
    TITLE,
    '',
    `Bytes of keys and values that go over the bus for a picture on WebGPU : those that a cache in the machine’s own memory moves, on ${machine()}.`,
    '',
    '| | measured | ratio | target |',
    '|---|---|---|---|',
    ...measured,
    row('VAREdit-2B, 512 px, guidance: from its shapes, pooling weights of its first layer', busBytes(VAREDIT_2B)),
  ];
}

/** The same edit twice: on the device, and on the CPU provider, whose feeds and results are what a bus would carry. */
async function counted(root: string, pack: InstalledPack): Promise<{ readonly before: number; readonly after: number }> {
  const [before, after] = [await rowBytesOf(root, pack, 'cpu'), await rowBytesOf(root, pack, 'webgpu')];
  if (before.host === 0 || after.device === 0) throw new Error('Expected keys and values to be seen but received none.');
  return { before: before.host, after: after.host };
}

async function rowBytesOf(root: string, pack: InstalledPack, provider: 'cpu' | 'webgpu') {
  const runner = new WatchedRunner(await createRunner({ provider }));
  const { model, release } = await openPack(pack, runner);
  const photo = await sharp(await readFile(path.join(root, 'test/fixtures/sketch/case-edit-source.png')))
    .resize(256, 256)
    .png()
    .toBuffer();
  const request = v.parse(EditRequest, { task: 'edit', instruction: 'make it warmer', source: 'a', guidance: 2, preset: 'best', provider });
  const job = {
    ...{ request, pictures: { a: new Uint8Array(photo) }, model, provider, loadMs: 0 },
    estimate: () => ({ ms: 0, bytes: 0 }),
    peakRssBytes: () => 0,
  };
  for await (const event of runPipeline(job, NEVER_CANCELLED)) if (event.type === 'failed') throw new Error(event.error.message);
  await release();
  return { host: runner.hostRowBytes, device: runner.mostDeviceBytes };
}
