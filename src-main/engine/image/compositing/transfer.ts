import { sampleCount, type Extent } from '#base/geometry.js';
import { planesOf, type Planes } from '#engine/image/colour/colour.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { BitMask } from './bit-mask.js';
import { structuralRegions } from './edit-regions.js';
import { solve } from './solve.js';
import { MOMENT, windowsOf, XX, type Windows } from './windows.js';

// Edit transfer: carries an edit from the tokenizer's blurred world to the original pixels, at any resolution.
// x decoded source · y decoded result · h, w model size · planes are [h·w]

/** In every place y ≈ matrix · x + offset; where that fails, the decoded pixels themselves are to be used. */
export interface TransferMap {
  /** 3×3, row-major (out, in): `[9, h, w]` */
  readonly matrix: FloatTensor;
  /** `[3, h, w]` */
  readonly offset: FloatTensor;
  /** 0 = the fitted colour map holds, 1 = something new appeared: `[h, w]` */
  readonly decodedShare: FloatTensor;
}

export interface TransferOptions {
  /** Standard deviation of the window of a fit, in model pixels. */
  readonly sigma?: number;
  /** Ridge: pulls each fit towards the prior. */
  readonly ridge?: number;
  /**
   * Errors of the fit below `low` are noise, above `high` they mean new content. Decoded pixels are coarser than a
   * photograph's: an outline that lies half a cell beside the old one is neither.
   */
  readonly low?: number;
  readonly high?: number;
  /** How far around new content decoded pixels win, as a share of the picture's height. */
  readonly grow?: number;
  /**
   * From fit to fit, in model pixels; between them the maps are interpolated. 1 = one for every pixel, the default up to
   * 256×256; above, one to a standard deviation of the window says the same.
   */
  readonly step?: number;
}

type Settings = Required<TransferOptions>;

const DEFAULTS: Omit<Settings, 'step'> = { sigma: 4, ridge: 2e-3, low: 0.12, high: 0.24, grow: 0.1 };
const PLAIN_UP_TO_PX = 256 * 256;
/** The whole-picture prior has to explain this much more before it is believed. */
const GLOBAL_PRIOR_GAIN = 0.8;

interface Decoded {
  /** Decoded source and decoded result, `[1, 3, h, w]` sRGB. */
  readonly before: FloatTensor;
  readonly after: FloatTensor;
  /** 1 where the pack says that it changed tokens, `[…, h', w']`: a misfit then takes its whole region with it. */
  readonly editMap?: FloatTensor;
}

/** Rows of a 3×3 matrix, then the offset: y = A x + b. */
type Affine = readonly number[];

const IDENTITY: Affine = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/**
 * Fits, per window, a ridge-regularised affine colour map from the decoded source to the decoded result. Two priors are
 * tried, "nothing changed" and one affine map of the whole picture; the one that explains clearly more is kept.
 */
export function fitTransfer({ before, after, editMap }: Decoded, options: TransferOptions = {}): TransferMap {
  const given = { ...DEFAULTS, ...options };
  const [, , height = 0, width = 0] = before.dims;
  const settings = { ...given, step: options.step ?? (width * height > PLAIN_UP_TO_PX ? Math.max(1, Math.round(given.sigma)) : 1) };
  const windows = windowsOf(before, after, settings);
  const scene: Scene = { extent: { width, height }, x: planesOf(before), y: planesOf(after) };
  const fitTo = (prior: Affine): Fit => ({ prior, maps: enlarged(fitWindows(windows, prior, settings.ridge), windows.grid, scene.extent) });
  const [local, global] = [fitTo(IDENTITY), fitTo(globalAffine(windows))];
  const error = (fit: Fit) => squaredError(scene, fit, 2 * settings.step - 1);
  const fit = error(global) < GLOBAL_PRIOR_GAIN * error(local) ? global : local;
  return toMap(scene, fit, { settings, ...(editMap && { editMap }) });
}

/** Both pictures, in planes. */
interface Scene {
  readonly extent: Extent;
  readonly x: Planes;
  readonly y: Planes;
}

interface Fit {
  readonly prior: Affine;
  /** The prior already inside. */
  readonly maps: Enlarged;
}

/** One ridge regression over all pixels, towards "nothing changed". */
function globalAffine({ totals }: Windows): Affine {
  const inputs = [0, 1, 2, 3]; // red, green, blue, one
  const xx = (a: number, b: number) => {
    if (a === 3 || b === 3) return a === b ? 1 : totals[MOMENT.x + Math.min(a, b)]!;
    return totals[MOMENT.xx + XX[a * 3 + b]!]!;
  };
  const normal = inputs.map((a) => inputs.map((b) => xx(a, b) + (a === b ? 1e-4 : 0)));
  const affine = [...IDENTITY];
  for (let out = 0; out < 3; out++) {
    const xy = (a: number) => totals[a === 3 ? MOMENT.y + out : MOMENT.xy + a * 3 + out]!;
    const solution = solve(
      normal,
      inputs.map((a) => xy(a) - xx(a, out)),
    );
    for (let i = 0; i < 3; i++) affine[out * 3 + i]! += solution[i]!;
    affine[9 + out]! += solution[3]!;
  }
  return affine;
}

/** Twelve coefficients of every window, from the moments alone: `[12][W]`. */
function fitWindows(windows: Windows, prior: Affine, ridge: number): readonly Float32Array[] {
  const count = sampleCount(windows.grid);
  const coefficients = Array.from({ length: 12 }, () => new Float32Array(count));
  const local = new LocalFit(windows, prior, ridge);
  for (let i = 0; i < count; i++) {
    const affine = local.solveAt(i);
    for (let k = 0; k < 12; k++) coefficients[k]![i] = affine[k]!;
  }
  return coefficients;
}

/** Maps of windows for the pixels that lie between them. */
function enlarged(maps: readonly Float32Array[], grid: Extent, extent: Extent): Enlarged {
  if (grid.width >= extent.width || grid.height >= extent.height) return new Enlarged(maps, grid, extent);
  const finer = { width: 2 * grid.width - 1, height: 2 * grid.height - 1 };
  return new Enlarged(
    maps.map((map) => refined(map, grid)),
    finer,
    extent,
  );
}

/** Windows halfway between others, of four neighbours each (Dyn, Levin and Gregory 1987): straight lines would cut corners. */
function refined(map: Float32Array, { width, height }: Extent): Float32Array {
  const finer = 2 * width - 1;
  const result = new Float32Array(finer * (2 * height - 1));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) result[2 * y * finer + 2 * x] = map[y * width + x]!;
    halve(result, { start: 2 * y * finer, stride: 2, count: width });
  }
  for (let x = 0; x < finer; x++) halve(result, { start: x, stride: 2 * finer, count: height });
  return result;
}

/** Fills what lies between `count` values, each `stride` after the other. */
function halve(values: Float32Array, { start, stride, count }: { start: number; stride: number; count: number }): void {
  const end = start + (count - 1) * stride;
  for (let at = start; at < end; at += stride) {
    const [before, after] = [Math.max(start, at - stride), Math.min(end, at + 2 * stride)];
    values[at + stride / 2] = (9 * (values[at]! + values[at + stride]!) - values[before]! - values[after]!) / 16;
  }
}

/** Maps of windows spread over a picture, row by row. */
class Enlarged {
  /** Twelve rows of the picture's width; good until the next is asked for. */
  readonly row: readonly Float32Array[];
  readonly #maps: readonly Float32Array[];
  readonly #grid: Extent;
  readonly #extent: Extent;
  readonly #mixed: Float32Array;
  /** Of every column the window to its left, and how far it lies towards the next one. */
  readonly #left: Int32Array;
  readonly #part: Float32Array;

  constructor(maps: readonly Float32Array[], grid: Extent, extent: Extent) {
    this.#maps = maps;
    this.#grid = grid;
    this.#extent = extent;
    this.row = maps.map(() => new Float32Array(extent.width));
    this.#mixed = new Float32Array(grid.width + 1);
    const scale = (grid.width - 1) / Math.max(1, extent.width - 1);
    this.#left = Int32Array.from({ length: extent.width }, (_, x) => Math.trunc(x * scale));
    this.#part = Float32Array.from({ length: extent.width }, (_, x) => x * scale - Math.trunc(x * scale));
  }

  read(y: number): readonly Float32Array[] {
    const { width, height } = this.#grid;
    const down = (y * (height - 1)) / Math.max(1, this.#extent.height - 1);
    const upper = Math.floor(down);
    const [from, next, part] = [upper * width, Math.min(height - 1, upper + 1) * width, down - upper];
    this.#maps.forEach((map, k) => {
      mixTwo(this.#mixed, { upper: map.subarray(from, from + width), lower: map.subarray(next, next + width), part });
      this.#spread(this.row[k]!);
    });
    return this.row;
  }

  #spread(target: Float32Array): void {
    const [mixed, left, part] = [this.#mixed, this.#left, this.#part];
    for (let x = 0; x < target.length; x++) {
      const at = left[x]!;
      const value = mixed[at]!;
      target[x] = value + part[x]! * (mixed[at + 1]! - value);
    }
  }
}

/** With the last value twice. */
function mixTwo(target: Float32Array, { upper, lower, part }: { upper: Float32Array; lower: Float32Array; part: number }): void {
  const last = upper.length;
  for (let i = 0; i < last; i++) target[i] = upper[i]! + part * (lower[i]! - upper[i]!);
  target[last] = target[last - 1]!;
}

/** Mean squared error, from some of the rows. */
function squaredError({ extent, x, y }: Scene, { maps }: Fit, step: number): number {
  const { width, height } = extent;
  const fitted = new Float32Array(width);
  let [error, count] = [0, 0];
  for (let row = 0; row < height; row += step) {
    const affine = maps.read(row);
    for (let c = 0; c < 3; c++) {
      applyRow(affine, { x, at: row * width, channel: c }, fitted);
      for (let i = 0; i < width; i++) error += (fitted[i]! - y[c]![row * width + i]!) ** 2;
    }
    count += 3 * width;
  }
  return error / count;
}

interface RowPlace {
  readonly x: Planes;
  /** The row's first pixel. */
  readonly at: number;
  readonly channel: number;
}

function applyRow(affine: readonly Float32Array[], { x, at, channel }: RowPlace, target: Float32Array): void {
  const [red, green, blue] = x;
  const [fromRed, fromGreen, fromBlue] = affine.slice(channel * 3) as unknown as Planes;
  const offset = affine[9 + channel]!;
  for (let i = 0; i < target.length; i++) {
    target[i] = fromRed[i]! * red[at + i]! + fromGreen[i]! * green[at + i]! + fromBlue[i]! * blue[at + i]! + offset[i]!;
  }
}

/** The 3×3 ridge regression of one window, solved by cofactors. */
class LocalFit {
  readonly #moments: readonly Float32Array[];
  readonly #prior: Affine;
  readonly #ridge: number;
  readonly #means = new Float64Array(6);
  readonly #covXX = new Float64Array(9);
  readonly #covXY = new Float64Array(9);
  readonly #xx = new Float64Array(9);
  readonly #xy = new Float64Array(9);
  readonly #inverse = new Float64Array(9);
  readonly #local = new Float64Array(9); // (out, in), on top of the prior
  readonly #affine = new Float64Array(12);

  constructor({ moments }: Windows, prior: Affine, ridge: number) {
    this.#moments = moments;
    this.#prior = prior;
    this.#ridge = ridge;
  }

  solveAt(window: number): Float64Array {
    this.#readCovariances(window);
    this.#spreadPrior();
    invertSymmetric(this.#xx, this.#inverse);
    const [inverse, xy, local, prior, affine] = [this.#inverse, this.#xy, this.#local, this.#prior, this.#affine];
    for (let out = 0; out < 3; out++) {
      for (let input = 0; input < 3; input++) {
        const row = input * 3;
        local[out * 3 + input] = inverse[row]! * xy[out]! + inverse[row + 1]! * xy[3 + out]! + inverse[row + 2]! * xy[6 + out]!;
      }
    }
    for (let out = 0; out < 3; out++) {
      const row = out * 3;
      let mean = 0;
      for (let input = 0; input < 3; input++) {
        const value = local[row]! * prior[input]! + local[row + 1]! * prior[3 + input]! + local[row + 2]! * prior[6 + input]!;
        affine[row + input] = value;
        mean += value * this.#means[input]!;
      }
      affine[9 + out] = this.#means[3 + out]! - mean;
    }
    return affine;
  }

  #readCovariances(window: number): void {
    const [moments, means] = [this.#moments, this.#means];
    for (let k = 0; k < 6; k++) means[k] = moments[k]![window]!;
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        const at = a * 3 + b;
        this.#covXX[at] = moments[MOMENT.xx + XX[at]!]![window]! - means[a]! * means[b]!;
        this.#covXY[at] = moments[MOMENT.xy + at]![window]! - means[a]! * means[3 + b]!;
      }
    }
  }

  /** Covariances of the prior's picture: P·cov(x, x)·Pᵀ and P·cov(x, y), plus the ridge. */
  #spreadPrior(): void {
    const [prior, covXX, covXY] = [this.#prior, this.#covXX, this.#covXY];
    for (let a = 0; a < 3; a++) {
      const [p, q, r] = [prior[a * 3]!, prior[a * 3 + 1]!, prior[a * 3 + 2]!];
      for (let b = 0; b < 3; b++) {
        let xx = 0;
        for (let j = 0; j < 3; j++) xx += prior[b * 3 + j]! * (p * covXX[j]! + q * covXX[3 + j]! + r * covXX[6 + j]!);
        const ridge = a === b ? this.#ridge : 0;
        this.#xx[a * 3 + b] = xx + ridge;
        this.#xy[a * 3 + b] = p * covXY[b]! + q * covXY[3 + b]! + r * covXY[6 + b]! + ridge;
      }
    }
  }
}

function invertSymmetric(m: Float64Array, inverse: Float64Array): void {
  const [a, b, c, d, e, f] = [m[0]!, m[1]!, m[2]!, m[4]!, m[5]!, m[8]!];
  const [ca, cb, cc] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const scale = 1 / (a * ca + b * cb + c * cc);
  inverse[0] = ca * scale;
  inverse[1] = inverse[3] = cb * scale;
  inverse[2] = inverse[6] = cc * scale;
  inverse[4] = (a * f - c * c) * scale;
  inverse[5] = inverse[7] = (b * c - a * e) * scale;
  inverse[8] = (a * d - b * b) * scale;
}

interface ShareOptions {
  readonly settings: Settings;
  readonly editMap?: FloatTensor;
}

/** The maps at every pixel, and where they fail. */
function toMap(scene: Scene, fit: Fit, options: ShareOptions): TransferMap {
  const { extent, x, y } = scene;
  const { width, height } = extent;
  const matrix = floats([9, height, width]);
  const offset = floats([3, height, width]);
  const misfit = { error: new Float32Array(width * height), change: new Float32Array(width * height) };
  const [fitted, expected] = [new Float32Array(width), new Float32Array(width)];
  const prior = fit.prior.map((value) => new Float32Array(width).fill(value));
  for (let row = 0, at = 0; row < height; row++, at += width) {
    const affine = fit.maps.read(row);
    affine.forEach((values, k) => {
      if (k < 9) matrix.data.set(values, k * width * height + at);
      else offset.data.set(values, (k - 9) * width * height + at);
    });
    for (let channel = 0; channel < 3; channel++) {
      applyRow(affine, { x, at, channel }, fitted);
      applyRow(prior, { x, at, channel }, expected);
      keepLargest(misfit.error, { at, wanted: y[channel]! }, fitted);
      keepLargest(misfit.change, { at, wanted: y[channel]! }, expected);
    }
  }
  return { matrix, offset, decodedShare: floats([height, width], decodedShare(extent, misfit, options)) };
}

function keepLargest(largest: Float32Array, { at, wanted }: { at: number; wanted: Float32Array }, row: Float32Array): void {
  for (let i = 0; i < row.length; i++) {
    const difference = Math.abs(row[i]! - wanted[at + i]!);
    if (difference > largest[at + i]!) largest[at + i] = difference;
  }
}

/** Largest differences of any channel: of the fit, and of the prior alone. */
interface Misfit {
  readonly error: Float32Array;
  readonly change: Float32Array;
}

/** Where the fit is bad, and the whole neighbourhood of a structural change as far as anything changed there. */
function decodedShare(extent: Extent, misfit: Misfit, { settings, editMap }: ShareOptions): Float32Array {
  const { low, high, grow } = settings;
  const error = gaussian(misfit.error, extent, 1);
  const edited = editMap && structuralRegions(editMap, { error, extent, low });
  const share = new Float32Array(error.length);
  for (let i = 0; i < share.length; i++) {
    share[i] = Math.max(Math.min(1, Math.max(0, (error[i]! - low) / (high - low))), edited ? edited[i]! : 0);
  }
  const seed = BitMask.above(error, extent, high)
    .grown(1)
    .and(BitMask.above(error, extent, low))
    .grown(1);
  if (!seed.isEmpty) {
    const changed = BitMask.above(gaussian(misfit.change, extent, 1), extent, low);
    const rounds = Math.max(1, Math.round((grow * extent.height) / 3));
    spread(seed.and(changed), changed, rounds).grown(2).fill(share, 1);
  }
  return BitMask.above(share, extent, 0).isEmpty ? share : gaussian(share, extent, 1.2);
}

/** Three pixels a round, over what changed. */
function spread(seed: BitMask, changed: BitMask, rounds: number): BitMask {
  let all = seed;
  for (let round = 0; round < rounds && !all.isEmpty; round++) {
    const next = all.grown(3).and(changed);
    if (next.equals(all)) break;
    all = next;
  }
  return all;
}
