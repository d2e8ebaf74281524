import os from 'node:os';
import { at } from '#base/assert.js';
import { cellCount, type Grid } from '#base/geometry.js';
import type { Forecast, PresetCost } from '#contract/forecast.js';
import type { PackCard, PackFile, Precision } from '#contract/pack-card.js';
import { PRESETS, type Preset } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { familyOf } from '#engine/families/list.js';
import { LARGE_PIXELS } from '#engine/networks/picture-coder.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';

// C width · L tokens attended to · B 2 under guidance, else 1

/** What a run costs before anything of this machine is known. */
export interface Work {
  readonly flops: number;
  readonly keyValueBytes: number;
}

const FLOAT_BYTES = 4;
const HALF_BYTES = 2;
/** Attention, cross-attention and feed-forward of one token: 28·C² multiply-adds count twice in FLOPs. */
const FLOPS_PER_WIDTH_SQUARED = 28;

/** What a run asks of the transformer. */
export interface TransformerWish {
  readonly preset: Preset;
  readonly guided: boolean;
  /** Scales behind this one (1-based) run without guidance; absent = as the card says. */
  readonly guidanceUntil?: number | undefined;
  /** Token grids; absent = the card's. */
  readonly schedule?: readonly Grid[];
  /** Whether scales are shown as they come; absent = they are. */
  readonly previews?: boolean;
}

/** FLOPs and K/V bytes of one picture with this card at this preset. */
export function transformerWork(card: PackCard, wish: TransformerWish): Work {
  const { preset, guided, guidanceUntil = card.defaults.guidanceUntil, schedule: scales = card.config.transformer.scales } = wish;
  const { depth, width, lateScales } = card.config.transformer;
  const plan = { depth, scales: scales.length, lateScales, lateLayers: Math.min(depth, card.presets[preset]) };
  const layers = layersPerScale(plan);
  // Only VAREdit reads the source as tokens of its own.
  const sourceTokens = traitsOf(card).seesSource ? cellCount(at(scales, scales.length - 1)) : 0;
  const { keeps, passes = [] } = familyOf(card).cost(card);
  const rows = guided ? 2 : 1;
  let seen = sourceTokens;
  let flops = passFlops(sourceTokens, seen, width) * depth * rows;
  let cached = sourceTokens * depth;
  scales.forEach((grid, k) => {
    const tokens = cellCount(grid);
    seen = keeps === 'none' ? tokens : seen + tokens;
    const perScale = (k < (guidanceUntil ?? scales.length) ? rows : 1) + (passes[k] ?? 0);
    flops += passFlops(tokens, seen, width) * at(layers, k).length * perScale;
    if (keeps === 'every scale' || (keeps === 'all but the last' && k < scales.length - 1)) cached += tokens * at(layers, k).length;
  });
  return { flops, keyValueBytes: cached * 2 * width * keptBytes(card) * rows };
}

/** Packs of integers keep keys and values as halves; the cost of the one exact layer is left out. */
function keptBytes(card: PackCard): number {
  const isInteger = card.precision === 'int8' || card.precision === 'int4';
  return isInteger && familyOf(card).cost(card).halvesCache ? HALF_BYTES : FLOAT_BYTES;
}

/** A wish is asked on the reference pictures too while a run takes at most this: some hundredths of a second. */
const ASKED_TWICE_FLOPS = 5e9;

/** Whether the pack is so small that asking it what a wish does to colours alone is not felt. Decided by the card: the same request gives the same bytes. */
export function asksTwice(card: PackCard, wish: Omit<TransformerWish, 'preset'>): boolean {
  return transformerWork(card, { ...wish, preset: 'best' }).flops <= ASKED_TWICE_FLOPS;
}

function passFlops(tokens: number, seen: number, width: number): number {
  return tokens * (FLOPS_PER_WIDTH_SQUARED * width * width + 4 * seen * width);
}

function drawnPixels({ imageSize, config }: PackCard, { schedule }: TransformerWish): number {
  const finest = schedule?.at(-1);
  return finest ? cellCount(finest) * config.tokenizer.downsample ** 2 : imageSize ** 2;
}

/** What a picture takes while keys and values are kept, and at its last decode, when they are gone. */
interface Rooms {
  readonly drawing: number;
  readonly decoding: number;
}

/**
 * Rooms of the tokenizer and of a step through the transformer. Small pictures leave the tokenizer's halves open, with all that
 * they took; behind a large one (picture-coder.ts) what it took is given back, and previews need it for the scale before the last.
 */
function roomsOf(card: PackCard, wish: TransformerWish, keyValueBytes: number): Rooms {
  const { tokenizerBytesPerPixel, decoderBytesPerPixel = tokenizerBytesPerPixel } = familyOf(card).cost(card);
  const { schedule = card.config.transformer.scales, previews = true } = wish;
  const pixels = drawnPixels(card, wish);
  const stepBytes = stepBytesOf(card, wish);
  if (pixels < LARGE_PIXELS) {
    const bytes = keyValueBytes + stepBytes + pixels * tokenizerBytesPerPixel;
    return { drawing: bytes, decoding: bytes };
  }
  const shown =
    previews && schedule.length > 1 ? cellCount(at(schedule, schedule.length - 2)) / cellCount(at(schedule, schedule.length - 1)) : 0;
  const decoderBytes = pixels * decoderBytesPerPixel;
  // A preview's room is given back before the last scale; what the scales before it took is kept.
  return { drawing: keyValueBytes + Math.max(stepBytes, shown * (stepBytes + decoderBytes)), decoding: stepBytes + decoderBytes };
}

/** What a pass of the last scale takes beside keys and values. */
function stepBytesOf(card: PackCard, { guided, schedule = card.config.transformer.scales }: TransformerWish): number {
  const { keeps, rowsTogetherUpTo = Infinity } = familyOf(card).cost(card);
  const { width, heads } = card.config.transformer;
  const tokens = cellCount(at(schedule, schedule.length - 1));
  const before = keeps === 'none' ? 0 : schedule.slice(0, -1).reduce((sum, grid) => sum + cellCount(grid), 0);
  const seen = tokens + before + (traitsOf(card).seesSource ? tokens : 0);
  const rows = guided && tokens <= rowsTogetherUpTo ? 2 : 1;
  // Of a family that is not known nothing says how many heads it has.
  const scoreBytes = typeof heads === 'number' ? FLOAT_BYTES * heads * seen : 0;
  return rows * tokens * (STEP_BYTES_PER_WIDTH * width + scoreBytes);
}

/** Of a token of the last scale per channel, while it goes through the transformer, its attention's scores apart. Measured. */
const STEP_BYTES_PER_WIDTH = 240;
/** Working memory of the picture itself: samples, working copies, weights and the encoder's buffers. */
const CANVAS_BYTES_PER_PIXEL = 24;
/** Node, ONNX Runtime and sharp before any weight is loaded. */
export const PROCESS_BYTES = 160 * 1024 * 1024;

/** Weights are repacked for speed, which copies them, while that takes at most this share of the machine's memory. */
const REPACKED_SHARE = 0.25;

/**
 * Whether a pack's weights stay mapped from their files: slower by a tenth or more, but shared by all graphs and given
 * back under pressure. Of floats both give the same bytes. Integers are repacked on every machine: mapped, int4 is
 * multiplied by another kernel, and a picture must not depend on how much memory there is.
 */
export function staysMapped(card: PackCard, machineBytes: number = os.totalmem()): boolean {
  if (card.precision === 'int8' || card.precision === 'int4') return false;
  return card.files.reduce((sum, { bytes }) => sum + bytes, 0) > REPACKED_SHARE * machineBytes;
}

/**
 * What a repacked copy takes, in sizes of what it replaces: pages that were read to be packed are given back, but int4 kernels
 * keep sums of blocks beside them (1.2 in all), the pages of the scales stay mapped, and the whole takes more than its parts. Measured (test/bench).
 */
const REPACKED_SIZE: Readonly<Record<Precision, number>> = { float32: 1, half: 1, int8: 1, int4: 1.5 };
/** What an encoder of text leaves behind when it is let go. Measured. */
const TEXT_REMNANT = 0.1;
/** What a precision is chosen for; the rest is float32. */
const WITH_PRECISION: readonly PackFile['role'][] = ['transformer', 'text'];

/** Memory that an open pack takes: its pages, or their repacked copies. The encoder of text is opened for a moment only. */
export function openPackBytes(card: PackCard, machineBytes?: number): number {
  return sizeInMemory(card, (role) => role !== 'text', machineBytes);
}

/** What the tokenizer takes alone, with room for encoding and decoding a picture of the model's size. */
export function tokenizerBytes(card: PackCard): number {
  return sizeInMemory(card, (role) => role === 'tokenizer') + card.imageSize ** 2 * familyOf(card).cost(card).tokenizerBytesPerPixel;
}

function sizeInMemory(card: PackCard, counts: (role: PackFile['role']) => boolean, machineBytes?: number): number {
  const packed = staysMapped(card, machineBytes) ? 1 : REPACKED_SIZE[card.precision];
  const counted = card.files.filter(({ role }) => counts(role));
  return counted.reduce((sum, { role, bytes }) => sum + bytes * (WITH_PRECISION.includes(role) ? packed : 1), 0);
}

export function weightBytesOf(card: Pick<PackCard, 'files'>): number {
  return card.files.reduce((sum, file) => sum + file.bytes, 0);
}

/** Encoding, decoding, previews and the compositor at the model's own size, whatever the photograph's. */
const FIXED_MS = 150;

/** What matrices of a narrow and of a wide network reach of the rate of large ones, and how wide that is. */
const SMALL_SHARE = 0.25;
const LARGE_SHARE = 0.8;
const LARGE_WIDTH = 1024;
/** Against float32, measured on VAR-d16 (test/bench). */
const SPEED: Readonly<Record<Precision, number>> = { float32: 1, half: 0.8, int8: 2.1, int4: 1.3 };

const UNLEARNT_MS_PER_MEGAPIXEL = 140;
const LEARNT_RUNS = 5;

function withLast(values: readonly number[], value: number): readonly number[] {
  return [...values, value].slice(-LEARNT_RUNS);
}

function middleOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

function nameOf({ name, version }: PackCard): string {
  return `${name} ${version}`;
}

/** What a run asks of the picture's own size. */
interface CanvasWish {
  readonly pixels: number;
  /** At the most, of the detail scales behind the last; absent = there are none. */
  readonly detailBytes?: number;
}

interface ForecastWish extends Omit<TransformerWish, 'preset'>, Pick<CanvasWish, 'pixels'> {
  /** What the process can have in all. */
  readonly availableBytes: number;
}

export interface RunCost {
  readonly ms: number;
  /** Expected peak of the process. */
  readonly bytes: number;
}

/**
 * Time and memory of a run, learned from the runs before it: the arithmetic gives the shape, the
 * last measured runs on this machine give the scale.
 */
export class CostModel {
  /** Milliseconds per 10⁹ FLOPs of the last runs, per pack; before them, from the machine's measured GEMM rate. */
  readonly #msPerGflop = new Map<string, readonly number[]>();
  readonly #gemmRate: number; // GFLOP/s
  readonly #machineBytes: number | undefined;
  /** Everything that does not depend on the preset: decoding, encoding, compositing; ms per megapixel. */
  #msPerMegapixel: readonly number[] = [];

  constructor(gemmGflopsPerSecond: number, machineBytes?: number) {
    this.#gemmRate = gemmGflopsPerSecond;
    this.#machineBytes = machineBytes;
  }

  estimate(card: PackCard, { pixels, detailBytes = 0, ...wish }: TransformerWish & CanvasWish): RunCost {
    const { flops, keyValueBytes } = transformerWork(card, wish);
    const { drawing, decoding } = roomsOf(card, wish, keyValueBytes);
    // Mapped, its pages come and go before the transformer's are touched.
    const textBytes = staysMapped(card, this.#machineBytes) ? 0 : sizeInMemory(card, (role) => role === 'text', this.#machineBytes);
    // The encoder is there first, then its remnant and the run.
    // Detail scales come when all is decoded.
    const runBytes = Math.max(drawing, decoding, detailBytes) + pixels * CANVAS_BYTES_PER_PIXEL;
    const mostBytes = Math.max(textBytes, TEXT_REMNANT * textBytes + runBytes);
    return {
      ms: (flops / 1e9) * this.#rateOf(card) + FIXED_MS + (pixels / 1e6) * (middleOf(this.#msPerMegapixel) ?? UNLEARNT_MS_PER_MEGAPIXEL),
      bytes: this.heldBytes(card, true) + mostBytes,
    };
  }

  /** What a finished run measured: the middle one of the last counts, as one that was disturbed does not. */
  learn(card: PackCard, work: Work, measured: { readonly scalesMs: number; readonly restMs: number; readonly pixels: number }): void {
    const name = nameOf(card);
    this.#msPerGflop.set(name, withLast(this.#msPerGflop.get(name) ?? [], measured.scalesMs / (work.flops / 1e9)));
    const msPerMegapixel = Math.max(0, measured.restMs - FIXED_MS) / Math.max(0.05, measured.pixels / 1e6);
    this.#msPerMegapixel = withLast(this.#msPerMegapixel, msPerMegapixel);
  }

  #rateOf(card: PackCard): number {
    const share = Math.min(LARGE_SHARE, Math.max(SMALL_SHARE, (card.config.transformer.width / LARGE_WIDTH) * LARGE_SHARE));
    return middleOf(this.#msPerGflop.get(nameOf(card)) ?? []) ?? 1000 / (this.#gemmRate * share * SPEED[card.precision]);
  }

  /** What the process holds before a run: itself, and weights that are open or only mapped. */
  heldBytes(card: PackCard, isOpen: boolean): number {
    return PROCESS_BYTES + (isOpen || staysMapped(card, this.#machineBytes) ? openPackBytes(card, this.#machineBytes) : 0);
  }

  forecast(card: PackCard, { availableBytes, ...wish }: ForecastWish): Forecast {
    const entries = PRESETS.map((preset) => {
      const layers = Math.min(card.config.transformer.depth, card.presets[preset]);
      const { ms, bytes } = this.estimate(card, { ...wish, preset });
      return [preset, { ms, bytes, layers }] as const;
    });
    return { ...(Object.fromEntries(entries) as Record<Preset, PresetCost>), availableBytes };
  }
}
