import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import * as v from 'valibot';
import { EditRequest, type EditRequestInput } from '#contract/request.js';
import { startEngine } from '#engine/door/client.js';
import type { InstalledPack } from '#engine/door/engine.js';
import { LocalEngine } from '#engine/door/local-engine.js';
import { openPhoto, readFacts } from '#engine/image/files/decode.js';
import { encodePhoto } from '#engine/image/files/encode.js';
import { fitTransfer } from '#engine/image/compositing/transfer.js';
import { floats } from '#engine/tensor/tensor.js';
import { machine } from './machine.js';

const RUNS = 5;
const TIMES = 20;
const TITLE = '## Pixels';
const NEVER = { aborted: false, reason: undefined };
/** Peak of the inference process for the same edit before the row loop was a kernel. */
const EARLIER_PEAK_MB = 663;
/** Processor seconds of the same edit by the command line, all its processes, on the machine of that time. */
const EARLIER_COMMAND_S = 8.8;
/** Of Linux, per second. */
const CLOCK_TICKS = 100;

interface Work {
  readonly request: EditRequestInput;
  readonly pictures: Readonly<Record<string, Uint8Array>>;
}

interface Row {
  readonly name: string;
  readonly measured: string;
  readonly ratio: number;
  readonly target: string;
}

/** Processor time and memory of pixels, as ratios of one run. */
export async function pixelLines(root: string, pack: InstalledPack): Promise<readonly string[]> {
  const rows = await measuredRows(root, pack);
  return [
    '',
    TITLE,
    '',
    `Processor time (user and system) of warm edits by instruction, least of ${RUNS} runs each in turns, on ${machine()}.`,
    '',
    '| | measured | ratio | target |',
    '|---|---|---|---|',
    ...rows.map(({ name, measured, ratio, target }) => `| ${name} | ${measured} | ${ratio.toFixed(2)} | ${target} |`),
  ];
}

async function measuredRows(root: string, pack: InstalledPack): Promise<readonly Row[]> {
  const engine = new LocalEngine();
  const [large, small, middle] = [await photo(root, 6000, 4000), await photo(root, 512, 512), await photo(root, 1224, 816)];
  const edit = (source: Uint8Array, more: Partial<EditRequestInput> = {}, mask?: Uint8Array): Work => ({
    request: { task: 'edit', instruction: 'make it warmer', source: 'a', output: { format: 'jpeg' }, ...more },
    pictures: { a: source, ...(mask && { m: mask }) },
  });
  const time = (work: Work) => () => timeOf(engine, pack, work);
  const wideSource = await sharp(large).withIccProfile('p3').jpeg({ quality: 92 }).toBuffer();
  const [floor, whole, wide, tiny] = await leastTimes([
    () => plainTime(large),
    time(edit(large)),
    time(edit(wideSource)),
    time(edit(small)),
  ]);
  const [masked, maskedSmall] = [await mask(6000, 4000), await mask(1224, 816)];
  const [spot, nearSpot] = await leastTimes([time(edit(large, { mask: 'm' }, masked)), time(edit(middle, { mask: 'm' }, maskedSmall))]);
  const peakMb = await peakOf(root, pack, edit(large));
  const command = await commandTime(large);
  const [fit] = await leastTimes([fitTime]);
  const pair = (a: number, b: number) => `${a.toFixed(2)} : ${b.toFixed(2)} s`;
  const ratioRow = (name: string, [a, b]: readonly [number, number], target: string): Row => ({
    name,
    measured: pair(a, b),
    ratio: a / b,
    target,
  });
  const told = await photographTold(root);
  const [edited, read] = await leastTimes([time(edit(told)), () => factsTime(told)]);
  return [
    ratioRow(
      'facts and metadata of a 12 MP JPEG, with EXIF, XMP, IPTC and a profile, read : its edit',
      [read.total, edited.total],
      '≤ 0.03',
    ),
    ratioRow('24 MP JPEG, whole picture : decoding and plain encoding by libvips', [whole.total, floor.total], '≤ 3'),
    ...(command === undefined ? [] : [ratioRow('the same through the command line, all its processes : earlier', [command, EARLIER_COMMAND_S], '≤ 0.33')]), // prettier-ignore
    ratioRow('the same in Display P3 : in sRGB', [wide.total, whole.total], '≤ 1.2'),
    ratioRow('first preview of a 24 MP JPEG : of 512 px', [whole.preview, tiny.preview], '≤ 2.5'),
    ratioRow('mask of 600 px in 24 MP : in 1 MP', [spot.total, nearSpot.total], '≤ 4'),
    { name: 'peak RSS of a new inference process at 24 MP : earlier', measured: `${peakMb.toFixed(0)} : ${EARLIER_PEAK_MB} MB`, ratio: peakMb / EARLIER_PEAK_MB, target: '≤ 0.45' }, // prettier-ignore
    ratioRow('transfer fitted at 1024 px : the edit of 24 MP', [fit.total, whole.total], '≤ 0.3 s'),
  ];
}

interface Spent {
  readonly total: number;
  /** Until the first preview. */
  readonly preview: number;
}

type Measure = () => Promise<Spent> | Spent;

/** Of each what it takes at least; in turns, so that what else the machine does meets all alike. */
async function leastTimes<const M extends readonly Measure[]>(measures: M): Promise<{ -readonly [K in keyof M]: Spent }> {
  for (const measure of measures) await measure(); // warm
  const least = measures.map(() => ({ total: Infinity, preview: Infinity }));
  for (let i = 0; i < RUNS; i++) {
    for (const [k, measure] of measures.entries()) {
      const { total, preview } = await measure();
      least[k] = { total: Math.min(least[k]!.total, total), preview: Math.min(least[k]!.preview, preview) };
    }
  }
  return least as { -readonly [K in keyof M]: Spent };
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

async function timeOf(engine: LocalEngine, pack: InstalledPack, { request, pictures }: Work): Promise<Spent> {
  const started = process.cpuUsage();
  let preview = Infinity;
  for await (const event of engine.run({ request: v.parse(EditRequest, request), pack, pictures }, NEVER)) {
    if (event.type === 'preview') preview = Math.min(preview, secondsSince(started));
    if (event.type === 'failed') throw new Error(event.error.message);
  }
  return { total: secondsSince(started), preview };
}

async function plainTime(source: Uint8Array): Promise<Spent> {
  const started = process.cpuUsage();
  const { data, info } = await sharp(source).raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  await sharp(data, { raw }).jpeg({ quality: 92, chromaSubsampling: '4:4:4', optimiseCoding: false }).toBuffer();
  return { total: secondsSince(started), preview: 0 };
}

/** All that is read of a file beside its samples; often, because once is too short to be measured. */
async function factsTime(source: Uint8Array): Promise<Spent> {
  const started = process.cpuUsage();
  for (let i = 0; i < TIMES; i++) await readFacts(source);
  return { total: secondsSince(started) / TIMES, preview: 0 };
}

function fitTime(): Spent {
  const picture = (k: number) => floats([1, 3, 1024, 1024], Float32Array.from({ length: 3 * 1024 ** 2 }, (_, i) => 0.5 + 0.4 * Math.sin(i * k))); // prettier-ignore
  const [before, after] = [picture(0.011), picture(0.012)];
  const started = process.cpuUsage();
  fitTransfer({ before, after });
  return { total: secondsSince(started), preview: 0 };
}

/** Of all processes of one edit by the command line, start and end included; undefined where the system does not tell. */
async function commandTime(source: Uint8Array): Promise<number | undefined> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'scalebrush-bench-'));
  const [photo, result] = [path.join(folder, 'a.jpg'), path.join(folder, 'b.jpg')];
  try {
    await writeFile(photo, source);
    let least = Infinity;
    for (let i = 0; i < 2; i++) {
      const before = childSeconds();
      if (before === undefined) return undefined;
      await promisify(execFile)(process.execPath, ['dist/main/cli.js', 'edit', photo, '-i', 'make it warmer', '-o', result]);
      least = Math.min(least, childSeconds()! - before);
    }
    return least;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What this program's ended processes have used, and theirs. */
function childSeconds(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const [user = 0, system = 0] = readFileSync('/proc/self/stat', 'utf8').replace(/^.*\) /u, '').split(' ').slice(13).map(Number); // prettier-ignore
  return (user + system) / CLOCK_TICKS;
}

async function peakOf(root: string, pack: InstalledPack, { request, pictures }: Work): Promise<number> {
  const engine = startEngine({ entry: path.join(root, 'dist/main/inference.js') });
  let peak = 0;
  for (let i = 0; i < 3; i++) {
    for await (const event of engine.run({ request: v.parse(EditRequest, request), pack, pictures }, NEVER)) {
      if (event.type === 'done') peak = event.peakRssBytes / 2 ** 20;
    }
  }
  await engine.close();
  return peak;
}

async function photo(root: string, width: number, height: number): Promise<Uint8Array> {
  const file = path.join(root, 'test/fixtures/sketch/case-edit-source.png');
  return sharp(await readFile(file)).resize(width, height, { fit: 'fill' }).jpeg({ quality: 92 }).toBuffer(); // prettier-ignore
}

/** 12 megapixels that say as much as a photograph from an archive does. */
async function photographTold(root: string): Promise<Uint8Array> {
  const { samples, extent, ...facts } = await openPhoto(
    await sharp(await photo(root, 4000, 3000))
      .withIccProfile('p3')
      .withExif({ IFD0: { Artist: 'x'.repeat(200) }, IFD3: { GPSLatitude: '48/1 24/1 0/1' } })
      .jpeg({ quality: 92 })
      .toBuffer(),
  );
  const subjects = Array.from({ length: 200 }, (_, i) => `<rdf:li>keyword ${String(i)}</rdf:li>`).join('');
  const xmp = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag>${subjects}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>`;
  const iptc = Buffer.concat(Array.from({ length: 50 }, () => Buffer.from('\x1c\x02\x19\0\x05heron', 'latin1')));
  return encodePhoto({ ...facts, extent, samples, xmp, iptc, resolution: { x: 300, y: 300 } }, { format: 'jpeg', quality: 92 });
}

async function mask(width: number, height: number): Promise<Uint8Array> {
  const values = new Uint8Array(width * height);
  const [left, top] = [Math.round(width * 0.4), Math.round(height * 0.2)];
  for (let y = top; y < top + 600; y++) values.fill(255, y * width + left, y * width + left + 600);
  return sharp(values, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}
