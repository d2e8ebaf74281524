// The parts of ICC.1 that photographs use: three colorants and three tone curves (or one, for gray).

/** One tone curve, from device value to linear light, both 0..1. */
export type ToneCurve = (value: number) => number;

export type MatrixProfile =
  /** `matrix` is 3×3, row-major: linear device RGB to XYZ (D50). */
  | { readonly kind: 'rgb'; readonly curves: readonly ToneCurve[]; readonly matrix: readonly number[] }
  | { readonly kind: 'gray'; readonly curves: readonly ToneCurve[] };

const HEADER_BYTES = 132;
const MAX_TAGS = 200;

function ascii(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

/** The device colour model that a profile describes ("RGB ", "GRAY", "CMYK"…); undefined for garbage. */
export function profileModel(icc: Uint8Array): string | undefined {
  if (icc.length < HEADER_BYTES || ascii(icc, 36) !== 'acsp') return undefined;
  const size = new DataView(icc.buffer, icc.byteOffset).getUint32(0);
  return size <= icc.length ? ascii(icc, 16) : undefined;
}

/** Reads a matrix or gray profile. Undefined where the profile works by tables, or is broken. */
export function readMatrixProfile(icc: Uint8Array): MatrixProfile | undefined {
  const model = profileModel(icc);
  const tags = readTags(icc);
  if (tags.has('A2B0') || ascii(icc, 20) !== 'XYZ ') return undefined;
  try {
    if (model === 'GRAY') return { kind: 'gray', curves: [readCurve(tags.get('kTRC'))] };
    if (model !== 'RGB ') return undefined;
    const columns = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => readXyz(tags.get(name)));
    const matrix = [0, 1, 2].flatMap((row) => columns.map((column) => column[row]!));
    return { kind: 'rgb', matrix, curves: ['rTRC', 'gTRC', 'bTRC'].map((name) => readCurve(tags.get(name))) };
  } catch {
    return undefined;
  }
}

function readTags(icc: Uint8Array): Map<string, DataView> {
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength);
  const count = Math.min(view.getUint32(128), MAX_TAGS, Math.floor((icc.length - HEADER_BYTES) / 12));
  const tags = new Map<string, DataView>();
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + i * 12;
    const offset = view.getUint32(entry + 4);
    const length = view.getUint32(entry + 8);
    if (offset + length <= icc.length) tags.set(ascii(icc, entry), new DataView(icc.buffer, icc.byteOffset + offset, length));
  }
  return tags;
}

function fixed(view: DataView, at: number): number {
  return view.getInt32(at) / 65536;
}

function readXyz(view: DataView | undefined): number[] {
  if (!view) throw new Error('Expected a colorant but the profile has none.');
  return [fixed(view, 8), fixed(view, 12), fixed(view, 16)];
}

const CURVE = 0x63757276; // 'curv'
const PARAMETRIC = 0x70617261; // 'para'

function readCurve(view: DataView | undefined): ToneCurve {
  if (view?.getUint32(0) === CURVE) return tabledCurve(view);
  if (view?.getUint32(0) === PARAMETRIC) return parametricCurve(view);
  throw new Error('Expected a tone curve but the profile has none.');
}

function tabledCurve(view: DataView): ToneCurve {
  const count = view.getUint32(8);
  if (count === 0) return (value) => value;
  if (count === 1) {
    const gamma = view.getUint16(12) / 256;
    return (value) => value ** gamma;
  }
  const last = count - 1;
  view.getUint16(12 + last * 2); // a table that leaves its tag is refused here
  return (value) => {
    const place = Math.min(last, Math.max(0, value * last));
    const low = Math.min(last - 1, Math.floor(place));
    const a = view.getUint16(12 + low * 2);
    return (a + (view.getUint16(14 + low * 2) - a) * (place - low)) / 65535;
  };
}

/** How many parameters each of the five function types has: g, a, b, c, d, e, f. */
const PARAMETERS = [1, 3, 4, 5, 7];

/** Parametric curves of ICC.1:2010 section 10.16, all as the most general one. */
function parametricCurve(view: DataView): ToneCurve {
  const type = view.getUint16(8);
  const count = PARAMETERS[type];
  if (count === undefined) throw new Error('Expected a known kind of tone curve.');
  const [g = 1, a = 1, b = 0, c = 0, d = 0, e = 0, f = 0] = Array.from({ length: count }, (_, i) => fixed(view, 12 + i * 4));
  if (type === 0) return (value) => value ** g;
  const power = (value: number) => Math.max(0, a * value + b) ** g;
  if (type === 1) return (value) => (value >= -b / a ? power(value) : 0);
  if (type === 2) return (value) => (value >= -b / a ? power(value) + c : c);
  return (value) => (value >= d ? power(value) + e : c * value + f);
}
