import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { PackCard } from '#contract/pack-card.js';
import { DEFAULT_PACK } from '#contract/request.js';
import type { InstalledPack } from '#engine/door/engine.js';
import { busLines } from './bus.js';
import { detailLines } from './detail.js';
import { farmLines } from './farm.js';
import { measureFigures, scene } from './figures.js';
import { machine } from './machine.js';
import { median } from './median.js';
import { sectionSoFar, writeResults, writeSection } from './results.js';
import { serverLines } from './server.js';
import { pixelLines } from './pixels.js';
import { startTimes } from './start.js';
import { TRUE_SIZES, trueSizeLines } from './true-size.js';

const RUNS = 7;
const FARM_PICTURE = [1024, 768] as const;
const root = process.cwd();

/** `npm run bench -- farm` measures that section alone. */
async function main(only?: string, ...more: readonly string[]): Promise<void> {
  if (only === undefined) await measureAll();
  else if (only === 'true-size') await measureTrueSizes(more);
  else if (only === 'farm') await writeSection(await farmLines(await scene(root, FARM_PICTURE)));
  else if (only === 'server') await writeSection(await serverLines());
  else if (only === 'pixels') await writeSection(await pixelLines(root, await builtIn()));
  else if (only === 'figures') await writeFigures();
  else if (only === 'bus') await writeSection(await busLines(root, await builtIn()));
  else if (only === 'detail') await writeSection(await detailLines());
  else throw new Error(`Expected farm, server, pixels, figures, bus, detail, true-size, or nothing, for a section but received "${only}".`);
}

/** Both sections, and to be put there, what the main README says. */
async function writeFigures(): Promise<void> {
  const { presets, sizes, readme } = await measureFigures(root, await builtIn());
  await writeSection(presets);
  await writeSection(sizes);
  process.stdout.write(`\nFor the README:\n\n${readme.join('\n')}\n`);
}

async function measureTrueSizes([folder, python, only]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new Error('Expected a folder for 35 GB of random weights and packs.');
  if (only !== undefined && !['2b', '8b', 'd16'].includes(only)) throw new Error(`Expected 2b, 8b or d16 but received "${only}".`);
  const before = await sectionSoFar(TRUE_SIZES);
  await writeSection(await trueSizeLines({ root, folder: path.resolve(folder), python, only, before }));
}

async function builtIn(): Promise<InstalledPack> {
  const folder = path.join(root, 'models', DEFAULT_PACK);
  return { card: v.parse(PackCard, JSON.parse(await readFile(path.join(folder, 'card.json'), 'utf8'))), folder };
}

async function measureAll(): Promise<void> {
  const pack = await builtIn();
  const { presets, sizes } = await measureFigures(root, pack);
  const lines = [
    '# Bench results',
    '',
    `Made by \`npm run bench\` on ${machine()}, Node ${process.version}, ${os.platform()}. Compare ratios inside one table, not times across machines.`,
    '',
    ...presets.slice(1),
    ...sizes,
  ];
  lines.push(...(await pixelLines(root, pack)), ...(await busLines(root, pack)));
  lines.push(...(await startLines()), ...(await detailLines()));
  lines.push(...(await serverLines()));
  lines.push(...(await farmLines(await scene(root, FARM_PICTURE))));
  // Hours and tens of gigabytes: measured by `npm run bench -- true-size`, told here as they were.
  lines.push(await sectionSoFar(TRUE_SIZES));
  const byHand = await readFile(path.join(root, 'test/bench/BY_HAND.md'), 'utf8');
  await writeResults(`${lines.join('\n')}\n\n${byHand}`);
}

async function startLines(): Promise<readonly string[]> {
  const { times, isReal } = await startTimes(root, RUNS);
  const what = isReal ? 'Electron' : 'the double of Electron (Chromium’s own start included)';
  const title = ['', '## Start of the desktop', ''];
  return [
    ...title,
    `From the command to a window that takes a photo, on ${what}: **${median(times).toFixed(0)} ms** (at most ${Math.max(...times).toFixed(0)} ms).`,
  ];
}

await main(...process.argv.slice(2));
