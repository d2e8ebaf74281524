import { planesOf } from '#engine/image/colour/colour.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import type { Extent } from '#base/geometry.js';
import { structuralRegions } from './edit-regions.js';
import { gaussian, maxWindow } from '#engine/image/sampling/gauss.js';
import { solve } from './solve.js';

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
}

const DEFAULTS: Required<TransferOptions> = { sigma: 4, ridge: 2e-3, low: 0.12, high: 0.24, grow: 0.1 };
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
  const settings = { ...DEFAULTS, ...options };
  const scene = measure(before, after, settings.sigma);
  const local = fitWithPrior(scene, IDENTITY, settings);
  const global = fitWithPrior(scene, globalAffine(scene), settings);
  const fit = global.error < GLOBAL_PRIOR_GAIN * local.error ? global : local;
  return toMap(scene, fit, decodedShare(scene, fit, { settings, ...(editMap && { editMap }) }));
}

type Planes = readonly Float32Array[];

/** Both pictures and their windowed moments. */
interface Scene {
  readonly extent: Extent;
  readonly x: Planes;
  readonly y: Planes;
  readonly meanX: Planes;
  readonly meanY: Planes;
  /** Windowed covariances, `[in · 3 + in]` and `[in · 3 + out]`. */
  readonly covXX: Planes;
  readonly covXY: Planes;
}

function measure(before: FloatTensor, after: FloatTensor, sigma: number): Scene {
  const [, , height = 0, width = 0] = before.dims;
  const extent = { width, height };
  const [x, y] = [planesOf(before), planesOf(after)];
  const blur = (plane: Float32Array) => gaussian(plane, extent, sigma);
  const [meanX, meanY] = [x.map(blur), y.map(blur)];
  const covariance = (a: Planes, b: Planes, [meanA, meanB]: readonly [Planes, Planes]) =>
    a.flatMap((first, i) => b.map((second, j) => minusProduct(blur(product(first, second)), meanA[i]!, meanB[j]!)));
  return { extent, x, y, meanX, meanY, covXX: covariance(x, x, [meanX, meanX]), covXY: covariance(x, y, [meanX, meanY]) };
}

function product(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, i) => value * b[i]!);
}

function minusProduct(plane: Float32Array, a: Float32Array, b: Float32Array): Float32Array {
  return plane.map((value, i) => value - a[i]! * b[i]!);
}

/** One ridge regression over all pixels, towards "nothing changed". */
function globalAffine({ x, y, extent }: Scene): Affine {
  const count = extent.width * extent.height;
  const dot = (a: Float32Array | undefined, b: Float32Array | undefined) => {
    let total = 0;
    for (let i = 0; i < count; i++) total += (a ? a[i]! : 1) * (b ? b[i]! : 1);
    return total / count;
  };
  const inputs = [...x, undefined];
  const normal = inputs.map((a, i) => inputs.map((b, j) => dot(a, b) + (i === j ? 1e-4 : 0)));
  const affine = [...IDENTITY];
  for (let out = 0; out < 3; out++) {
    const residual = y[out]!.map((value, i) => value - x[out]![i]!);
    const solution = solve(
      normal,
      inputs.map((a) => dot(a, residual)),
    );
    for (let i = 0; i < 3; i++) affine[out * 3 + i]! += solution[i]!;
    affine[9 + out]! += solution[3]!;
  }
  return affine;
}

interface Fit {
  /** Nine matrix planes (out, in) and three offset planes, the prior already inside. */
  readonly coefficients: readonly Float32Array[];
  /** What the prior alone makes of x. */
  readonly expected: Planes;
  readonly fitted: Planes;
  /** Mean squared error. */
  readonly error: number;
}

/** Local corrections on top of `prior`, from the moments alone: those of A x + b follow from those of x. */
function fitWithPrior(scene: Scene, prior: Affine, { ridge }: Required<TransferOptions>): Fit {
  const { extent, x, y } = scene;
  const count = extent.width * extent.height;
  const coefficients = Array.from({ length: 12 }, () => new Float32Array(count));
  const [expected, fitted] = [x.map(() => new Float32Array(count)), x.map(() => new Float32Array(count))];
  let error = 0;
  const local = new LocalFit(scene, prior, ridge);
  for (let i = 0; i < count; i++) {
    const affine = local.solveAt(i);
    for (let k = 0; k < 12; k++) coefficients[k]![i] = affine[k]!;
    for (let c = 0; c < 3; c++) {
      expected[c]![i] = applyAt(prior, x, { pixel: i, channel: c });
      const value = applyAt(affine, x, { pixel: i, channel: c });
      fitted[c]![i] = value;
      error += (value - y[c]![i]!) ** 2;
    }
  }
  return { coefficients, expected, fitted, error: error / (3 * count) };
}

function applyAt(affine: ArrayLike<number>, x: Planes, { pixel, channel }: { pixel: number; channel: number }): number {
  const row = channel * 3;
  return affine[row]! * x[0]![pixel]! + affine[row + 1]! * x[1]![pixel]! + affine[row + 2]! * x[2]![pixel]! + affine[9 + channel]!;
}

/** The 3×3 ridge regression of one window, solved by cofactors. */
class LocalFit {
  readonly #scene: Scene;
  readonly #prior: Affine;
  readonly #ridge: number;
  readonly #xx = new Float64Array(9);
  readonly #xy = new Float64Array(9);
  readonly #affine = new Float64Array(12);

  constructor(scene: Scene, prior: Affine, ridge: number) {
    this.#scene = scene;
    this.#prior = prior;
    this.#ridge = ridge;
  }

  solveAt(pixel: number): Float64Array {
    this.#moments(pixel);
    const inverse = invertSymmetric(this.#xx);
    const [prior, correction] = [this.#prior, this.#affine];
    const local = new Float64Array(9); // (out, in), on top of the prior
    for (let out = 0; out < 3; out++) {
      for (let input = 0; input < 3; input++) {
        let total = 0;
        for (let k = 0; k < 3; k++) total += inverse[input * 3 + k]! * this.#xy[k * 3 + out]!;
        local[out * 3 + input] = total;
      }
    }
    for (let out = 0; out < 3; out++) {
      for (let input = 0; input < 3; input++) {
        let total = 0;
        for (let k = 0; k < 3; k++) total += local[out * 3 + k]! * prior[k * 3 + input]!;
        correction[out * 3 + input] = total;
      }
      let mean = 0;
      for (let k = 0; k < 3; k++) mean += correction[out * 3 + k]! * this.#scene.meanX[k]![pixel]!;
      correction[9 + out] = this.#scene.meanY[out]![pixel]! - mean;
    }
    return correction;
  }

  /** Covariances of the prior's picture: P·cov(x, x)·Pᵀ and P·cov(x, y), plus the ridge. */
  #moments(pixel: number): void {
    const { covXX, covXY } = this.#scene;
    const prior = this.#prior;
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) {
        let [xx, xy] = [0, 0];
        for (let i = 0; i < 3; i++) {
          const weight = prior[a * 3 + i]!;
          xy += weight * covXY[i * 3 + b]![pixel]!;
          for (let j = 0; j < 3; j++) xx += weight * prior[b * 3 + j]! * covXX[i * 3 + j]![pixel]!;
        }
        const ridge = a === b ? this.#ridge : 0;
        this.#xx[a * 3 + b] = xx + ridge;
        this.#xy[a * 3 + b] = xy + ridge;
      }
    }
  }
}

function invertSymmetric(m: Float64Array): Float64Array {
  const [a, b, c, , d, e, , , f] = m as unknown as [number, number, number, number, number, number, number, number, number];
  const [ca, cb, cc] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const scale = 1 / (a * ca + b * cb + c * cc);
  const [cd, ce, cf] = [a * f - c * c, b * c - a * e, a * d - b * b];
  return Float64Array.of(ca, cb, cc, cb, cd, ce, cc, ce, cf).map((value) => value * scale);
}

function toMap({ extent }: Scene, { coefficients }: Fit, share: Float32Array): TransferMap {
  const { width, height } = extent;
  const matrix = floats([9, height, width]);
  const offset = floats([3, height, width]);
  coefficients.forEach((plane, k) => {
    if (k < 9) matrix.data.set(plane, k * plane.length);
    else offset.data.set(plane, (k - 9) * plane.length);
  });
  return { matrix, offset, decodedShare: floats([height, width], share) };
}

/** Largest difference of any channel, lightly smoothed. */
function largestDifference(a: Planes, b: Planes, extent: Extent): Float32Array {
  const largest = a[0]!.map((_, i) => Math.max(...[0, 1, 2].map((c) => Math.abs(a[c]![i]! - b[c]![i]!))));
  return gaussian(largest, extent, 1);
}

/** Where the fit is bad, and the whole neighbourhood of a structural change as far as anything changed there. */
function decodedShare(
  scene: Scene,
  fit: Fit,
  { settings, editMap }: { settings: Required<TransferOptions>; editMap?: FloatTensor },
): Float32Array {
  const { extent, y } = scene;
  const { low, high, grow } = settings;
  const error = largestDifference(fit.fitted, y, extent);
  const changed = largestDifference(y, fit.expected, extent).map((value) => (value > low ? 1 : 0));
  let seed = maxWindow(
    error.map((value) => (value > high ? 1 : 0)),
    extent,
    1,
  );
  seed = maxWindow(
    seed.map((value, i) => (error[i]! > low ? value : 0)),
    extent,
    1,
  );
  seed = product(seed, changed);
  const rounds = Math.max(1, Math.round((grow * extent.height) / 3));
  for (let round = 0; round < rounds; round++) seed = product(maxWindow(seed, extent, 3), changed);
  const around = maxWindow(seed, extent, 2);
  const edited = editMap && structuralRegions(editMap, { error, extent, low });
  const share = error.map((value, i) =>
    Math.max(Math.min(1, Math.max(0, (value - low) / (high - low))), around[i]!, edited ? edited[i]! : 0),
  );
  return gaussian(share, extent, 1.2);
}
