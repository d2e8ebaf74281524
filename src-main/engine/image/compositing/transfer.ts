import { sampleCount, type Extent } from '#base/geometry.js';
import { planesOf } from '#engine/image/colour/colour.js';
import { gaussian } from '#engine/image/sampling/gauss.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { BitMask } from './bit-mask.js';
import { structuralRegions } from './edit-regions.js';
import { COEFFICIENTS, PlainRows, type Affine, type FittedRows, type Scene } from './fitted-rows.js';
import { solve } from './solve.js';
import { blurred, KernelRows, solveWindows } from './transfer-kernel.js';
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
  const fitTo = (prior: Affine) => spreadOver(scene, windows, { prior, ridge: settings.ridge });
  const [local, global] = [fitTo(IDENTITY), fitTo(globalAffine(windows))];
  const error = (rows: FittedRows) => squaredError(rows, height, 2 * settings.step - 1);
  const rows = error(global) < GLOBAL_PRIOR_GAIN * error(local) ? global : local;
  return toMap(scene.extent, rows, { settings, ...(editMap && { editMap }) });
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

interface Aim {
  readonly prior: Affine;
  readonly ridge: number;
}

/** Maps of windows for the pixels that lie between them; with one for each pixel, the plain loops say it to the last bit. */
function spreadOver(scene: Scene, windows: Windows, aim: Aim): FittedRows {
  const { grid, moments } = windows;
  const isCoarse = grid.width < scene.extent.width && grid.height < scene.extent.height;
  if (!isCoarse) return new PlainRows({ prior: aim.prior, grid, coefficients: solvePlainly(windows, aim) }, scene);
  return new KernelRows({ prior: aim.prior, grid, coefficients: solveWindows(moments, aim.prior, aim.ridge) }, scene);
}

/** A fit to every window from its moments alone, `[W · 12]`: the plain loop, which the kernel's is compared with. */
export function solvePlainly(windows: Windows, { prior, ridge }: Aim): Float32Array {
  const count = sampleCount(windows.grid);
  const coefficients = new Float32Array(count * COEFFICIENTS);
  const local = new LocalFit(windows, prior, ridge);
  for (let i = 0; i < count; i++) coefficients.set(local.solveAt(i), i * COEFFICIENTS);
  return coefficients;
}

/** Summed over some of the rows. */
function squaredError(rows: FittedRows, height: number, step: number): number {
  let error = 0;
  for (let y = 0; y < height; y += step) error += rows.squaredError(y);
  return error;
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
function toMap({ width, height }: Extent, rows: FittedRows, options: ShareOptions): TransferMap {
  const matrix = floats([9, height, width]);
  const offset = floats([3, height, width]);
  const misfit = { error: new Float32Array(width * height), change: new Float32Array(width * height) };
  for (let y = 0, at = 0; y < height; y++, at += width) {
    rows.read(y);
    rows.coefficients.forEach((values, k) => {
      if (k < 9) matrix.data.set(values, k * width * height + at);
      else offset.data.set(values, (k - 9) * width * height + at);
    });
    misfit.error.set(rows.error, at);
    misfit.change.set(rows.change, at);
  }
  return { matrix, offset, decodedShare: floats([height, width], decodedShare({ width, height }, misfit, options)) };
}

/** Largest differences of any channel: of the fit, and of the prior alone. */
interface Misfit {
  readonly error: Float32Array;
  readonly change: Float32Array;
}

/** Where the fit is bad, and the whole neighbourhood of a structural change as far as anything changed there. */
function decodedShare(extent: Extent, misfit: Misfit, { settings, editMap }: ShareOptions): Float32Array {
  const { low, high, grow } = settings;
  // With a fit for every pixel, to the last bit.
  const blur = settings.step === 1 ? gaussian : blurred;
  const error = blur(misfit.error, extent, 1);
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
    const changed = BitMask.above(blur(misfit.change, extent, 1), extent, low);
    const rounds = Math.max(1, Math.round((grow * extent.height) / 3));
    spread(seed.and(changed), changed, rounds).grown(2).fill(share, 1);
  }
  return BitMask.above(share, extent, 0).isEmpty ? share : blur(share, extent, 1.2);
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
