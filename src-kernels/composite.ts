// One row of a photo: what an edit makes of it, mixed in by weight (src-main/engine/image/compositing/composite-rows.ts is the
// plain loop that says the same in TypeScript). T is f64 for samples of 16 bits, on planes in 0..1 rounded to f32 wherever the
// plain loop keeps an f32, so that both give the same bytes; f32 for samples of 8 bits, on planes in 0..255: twice the pixels
// per vector, and half a level in some millions of samples falls to the other side.

const GIVEN: i32 = 0;
const TONES: i32 = 1;
const OBJECT: i32 = 2;
const TABLED: i32 = 4;
/** Colours per channel of a table, sixteen bytes each, red slowest. */
const GRID: i32 = 33;

const EVERYWHERE: i32 = 0;
const BYTES: i32 = 1;

/** Sixteen bytes each: colours of a pixel into lanes (3), results back among the samples (2), where those lie, what differs (8). */
const SCATTER: usize = 3 * 16;
const SCATTER_THIRD: usize = 4 * 16;
const COLOURS: usize = 5 * 16;
const ANY: usize = 6 * 16;

/** Matrix (out, in), offsets and the share of decoded pixels. */
const COEFFICIENTS: i32 = 13;

@unmanaged
class Row {
  width: i32;
  channels: i32;
  edit: i32;
  weighted: i32;      // EVERYWHERE, BYTES or shares as f64
  source: usize;      // the photo's samples
  target: usize;      // the result's, holding what is there already; may be the source
  changed: usize;     // u8 per pixel: 255 where any sample differs from the source
  weights: usize;
  masks: usize;
  planes: usize;      // T: the photo's colours, three planes
  edited: usize;      // T: the edit's, three planes
  stride: usize;      // bytes from plane to plane
  maps: usize;        // T; of TONES: three weights and an offset per channel; of OBJECT: two affine maps and the way between
  curves: usize;      // T: knots per channel
  knots: i32;         // 0 = straight lines
  gray: i32;          // one tone for all channels
  runs: usize;        // i32: end of each run of pixels that see the same neighbours, the first of its four decoded neighbours
  runCount: i32;
  table: usize;       // T: per run the coefficients of the left neighbour, then of the right one
  near: usize;        // f32: two planes of linear weights
  cubic: usize;       // f32: four planes of cubic weights
  across: usize;      // bytes from plane to plane of those
  decoded: usize;     // T: per neighbour red, green, blue
}

@inline function isExact<T>(): bool { return sizeof<T>() == 8; }
@inline function lanes<T>(): i32 { return 16 / sizeof<T>(); }
@inline function top<T>(): v128 { return v128.splat<T>(isExact<T>() ? <T>1 : <T>255); }

/** As an array of f32 would keep it. */
@inline function kept<T>(value: v128): v128 {
  return isExact<T>() ? f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(value)) : value;
}

@inline function splat<T>(at: usize, i: i32): v128 { return v128.load_splat<T>(at + <usize>i * sizeof<T>()); }

/** As many values as there are lanes, of f32. */
@inline function floats<T>(at: usize, x: i32): v128 {
  return isExact<T>() ? f64x2.promote_low_f32x4(v128.load64_zero(at + (<usize>x << 2))) : v128.load(at + (<usize>x << 2));
}

@inline function clamp<T>(value: v128): v128 {
  return v128.pmin<T>(top<T>(), v128.pmax<T>(v128.splat<T>(<T>0), value));
}

@inline function integers<T>(value: v128): v128 {
  return isExact<T>() ? f64x2.convert_low_i32x4_u(value) : f32x4.convert_i32x4_s(value);
}

function read<T>(row: Row): void {
  const colours = row.channels < 3 ? 1 : 3;
  const step = row.channels * (isExact<T>() ? 2 : 1);
  const unit = v128.splat<T>(isExact<T>() ? <T>(1.0 / 65535.0) : <T>1);
  for (let c = 0; c < colours; c++) {
    const pick = v128.load(row.masks + (<usize>c << 4));
    const plane = row.planes + <usize>c * row.stride;
    for (let x = 0; x < row.width; x += lanes<T>()) {
      const values = integers<T>(i8x16.swizzle(v128.load(row.source + x * step), pick));
      v128.store(plane + <usize>x * sizeof<T>(), isExact<T>() ? kept<T>(v128.mul<T>(values, unit)) : values);
    }
  }
}

/** weights · colour + offset, in the plain loop's order. */
@inline function along<T>(at: usize, r: v128, g: v128, b: v128): v128 {
  const sum = v128.add<T>(v128.mul<T>(splat<T>(at, 0), r), v128.mul<T>(splat<T>(at, 1), g));
  return v128.add<T>(v128.add<T>(sum, v128.mul<T>(splat<T>(at, 2), b)), splat<T>(at, 3));
}

/** A curve of straight pieces, gone on with beyond its ends. */
@inline function bent<T>(curve: usize, knots: i32, t: v128): v128 {
  const scaled = v128.mul<T>(t, v128.splat<T>(isExact<T>() ? <T>(knots - 1) : <T>(knots - 1) / <T>255));
  const knot = v128.pmin<T>(v128.splat<T>(<T>(knots - 2)), v128.pmax<T>(v128.splat<T>(<T>0), v128.floor<T>(scaled)));
  let low: v128, high: v128;
  if (isExact<T>()) {
    const at = i32x4.trunc_sat_f64x2_s_zero(knot);
    const first = v128.load(curve + (<usize>i32x4.extract_lane(at, 0) << 3));
    const second = v128.load(curve + (<usize>i32x4.extract_lane(at, 1) << 3));
    low = v128.shuffle<f64>(first, second, 0, 2);
    high = v128.shuffle<f64>(first, second, 1, 3);
  } else {
    const at = i32x4.trunc_sat_f32x4_s(knot);
    const a = v128.load64_zero(curve + (<usize>i32x4.extract_lane(at, 0) << 2));
    const b = v128.load64_zero(curve + (<usize>i32x4.extract_lane(at, 1) << 2));
    const c = v128.load64_zero(curve + (<usize>i32x4.extract_lane(at, 2) << 2));
    const d = v128.load64_zero(curve + (<usize>i32x4.extract_lane(at, 3) << 2));
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
    const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    low = v128.shuffle<f64>(ab, cd, 0, 2);
    high = v128.shuffle<f64>(ab, cd, 1, 3);
  }
  return v128.add<T>(low, v128.mul<T>(v128.sub<T>(scaled, knot), v128.sub<T>(high, low)));
}

@inline function tone<T>(row: Row, c: i32, r: v128, g: v128, b: v128): v128 {
  const t = along<T>(row.maps + <usize>(c * 4) * sizeof<T>(), r, g, b);
  const value = row.knots == 0 ? t : bent<T>(row.curves + <usize>(c * row.knots) * sizeof<T>(), row.knots, t);
  return clamp<T>(kept<T>(value));
}

function mapTones<T>(row: Row): void {
  const red = row.planes;
  const gray = row.channels < 3;
  const green = gray ? red : red + row.stride;
  const blue = gray ? red : green + row.stride;
  for (let x: usize = 0; x < <usize>row.width * sizeof<T>(); x += 16) {
    const r = v128.load(red + x), g = v128.load(green + x), b = v128.load(blue + x);
    const first = tone<T>(row, 0, r, g, b);
    v128.store(row.edited + x, first);
    v128.store(row.edited + row.stride + x, row.gray ? first : tone<T>(row, 1, r, g, b));
    v128.store(row.edited + 2 * row.stride + x, row.gray ? first : tone<T>(row, 2, r, g, b));
  }
}

/** Two affine maps, each three rows of weights and an offset, and the way between them. */
function mapObject<T>(row: Row): void {
  const red = row.planes;
  const gray = row.channels < 3;
  const green = gray ? red : red + row.stride;
  const blue = gray ? red : green + row.stride;
  const second = row.maps + 12 * sizeof<T>(), way = second + 12 * sizeof<T>();
  for (let x: usize = 0; x < <usize>row.width * sizeof<T>(); x += 16) {
    const r = v128.load(red + x), g = v128.load(green + x), b = v128.load(blue + x);
    const part = v128.pmin<T>(v128.splat<T>(<T>1), v128.pmax<T>(v128.splat<T>(<T>0), along<T>(way, r, g, b)));
    for (let c = 0; c < 3; c++) {
      const one = along<T>(row.maps + <usize>(c * 4) * sizeof<T>(), r, g, b);
      const two = along<T>(second + <usize>(c * 4) * sizeof<T>(), r, g, b);
      const value = v128.add<T>(one, v128.mul<T>(part, v128.sub<T>(two, one)));
      v128.store(row.edited + <usize>c * row.stride + x, clamp<T>(kept<T>(value)));
    }
  }
}

/** A coefficient between its two neighbours. */
@inline function between<T>(at: usize, k: i32, left: v128, right: v128): v128 {
  return kept<T>(v128.add<T>(v128.mul<T>(left, splat<T>(at, k)), v128.mul<T>(right, splat<T>(at, k + COEFFICIENTS))));
}

@inline function fitted<T>(at: usize, c: i32, left: v128, right: v128, r: v128, g: v128, b: v128): v128 {
  const sum = v128.add<T>(
    v128.mul<T>(between<T>(at, c * 3, left, right), r),
    v128.mul<T>(between<T>(at, c * 3 + 1, left, right), g),
  );
  return v128.add<T>(
    v128.add<T>(sum, v128.mul<T>(between<T>(at, c * 3 + 2, left, right), b)),
    between<T>(at, 9 + c, left, right),
  );
}

@inline function decodedAt<T>(row: Row, near: i32, c: i32, x: i32): v128 {
  const at = row.decoded + <usize>(near * 3 + c) * sizeof<T>();
  let sum = v128.mul<T>(floats<T>(row.cubic, x), splat<T>(at, 0));
  sum = v128.add<T>(sum, v128.mul<T>(floats<T>(row.cubic + row.across, x), splat<T>(at, 3)));
  sum = v128.add<T>(sum, v128.mul<T>(floats<T>(row.cubic + 2 * row.across, x), splat<T>(at, 6)));
  return kept<T>(v128.add<T>(sum, v128.mul<T>(floats<T>(row.cubic + 3 * row.across, x), splat<T>(at, 9))));
}

/** Vectors reach beyond the end of their run; the next run writes over that. */
function transfer<T>(row: Row): void {
  const gray = row.channels < 3;
  const red = row.planes;
  const green = gray ? red : red + row.stride;
  const blue = gray ? red : green + row.stride;
  for (let run = 0, from = 0; run < row.runCount; run++) {
    const end = load<i32>(row.runs + (<usize>run << 3));
    const near = load<i32>(row.runs + (<usize>run << 3), 4);
    const at = row.table + <usize>(run * 2 * COEFFICIENTS) * sizeof<T>();
    const pure = load<T>(at + 12 * sizeof<T>()) == 0 && load<T>(at + 25 * sizeof<T>()) == 0;
    for (let x = from; x < end; x += lanes<T>()) {
      const left = floats<T>(row.near, x), right = floats<T>(row.near + row.across, x);
      const place = <usize>x * sizeof<T>();
      const r = v128.load(red + place), g = v128.load(green + place), b = v128.load(blue + place);
      const share = between<T>(at, 12, left, right);
      for (let c = 0; c < 3; c++) {
        let value = fitted<T>(at, c, left, right, r, g, b);
        if (!pure) value = v128.add<T>(value, v128.mul<T>(v128.sub<T>(decodedAt<T>(row, near, c, x), value), share));
        v128.store(row.edited + <usize>c * row.stride + place, clamp<T>(kept<T>(value)));
      }
    }
    from = end;
  }
}

@inline function lerp(low: v128, high: v128, part: v128): v128 {
  return f32x4.add(low, f32x4.mul(part, f32x4.sub(high, low)));
}

@inline function along4(at: usize, part: v128): v128 { return lerp(v128.load(at), v128.load(at, 16), part); }

@inline function across4(at: usize, green: v128, blue: v128): v128 {
  return lerp(along4(at, blue), along4(at + 16 * GRID, blue), green);
}

/** A table of differences, linear between its colours: f32 for either kind of plane, one pixel per vector. */
function mapTable<T>(row: Row): void {
  const red = row.planes;
  const gray = row.channels < 3;
  const green = gray ? red : red + row.stride;
  const blue = gray ? red : green + row.stride;
  const steps: f32 = isExact<T>() ? <f32>(GRID - 1) : <f32>(GRID - 1) / 255;
  const end = <usize>row.width * sizeof<T>();
  for (let x: usize = 0; x < end; x += sizeof<T>()) {
    const r = <f32>load<T>(red + x) * steps, g = <f32>load<T>(green + x) * steps, b = <f32>load<T>(blue + x) * steps;
    const i = min(GRID - 2, <i32>r), j = min(GRID - 2, <i32>g), k = min(GRID - 2, <i32>b);
    const at = row.table + (<usize>((i * GRID + j) * GRID + k) << 4);
    const rest = f32x4.splat(b - <f32>k), across = f32x4.splat(g - <f32>j);
    const change = lerp(across4(at, across, rest), across4(at + 16 * GRID * GRID, across, rest), f32x4.splat(r - <f32>i));
    store<T>(row.edited + x, <T>(<f32>(load<T>(red + x) + <T>f32x4.extract_lane(change, 0))));
    store<T>(row.edited + row.stride + x, <T>(<f32>(load<T>(green + x) + <T>f32x4.extract_lane(change, 1))));
    store<T>(row.edited + 2 * row.stride + x, <T>(<f32>(load<T>(blue + x) + <T>f32x4.extract_lane(change, 2))));
  }
  for (let c: usize = 0; c < 3; c++) {
    const plane = row.edited + c * row.stride;
    for (let x: usize = 0; x < end; x += 16) v128.store(plane + x, clamp<T>(v128.load(plane + x)));
  }
}

@inline function shares<T>(row: Row, x: i32): v128 {
  if (row.weighted == BYTES) {
    const bytes = isExact<T>() ? v128.load16_lane(row.weights + x, v128.splat<i64>(0), 0) : v128.load32_zero(row.weights + x);
    const whole = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
    return v128.div<T>(integers<T>(whole), v128.splat<T>(<T>255));
  }
  const at = row.weights + (<usize>x << 3);
  if (isExact<T>()) return v128.load(at);
  return v128.shuffle<f64>(f32x4.demote_f64x2_zero(v128.load(at)), f32x4.demote_f64x2_zero(v128.load(at, 16)), 0, 2);
}

@inline function mixed<T>(own: v128, share: v128, change: v128): v128 {
  return v128.add<T>(own, v128.mul<T>(share, change));
}

/** Where all is the edit, f32 takes it as it is: its sum with a difference would not give it back. */
@inline function toEdited<T>(row: Row, c: i32, place: usize, own: v128, share: v128): v128 {
  const edited = v128.load(row.edited + <usize>c * row.stride + place);
  const partly = mixed<T>(own, share, v128.sub<T>(edited, own));
  return isExact<T>() ? partly : v128.bitselect(edited, partly, f32x4.ge(share, f32x4.splat(1)));
}

/** Math.round, then within the samples' range; u32 lanes. */
@inline function rounded<T>(value: v128): v128 {
  if (!isExact<T>()) {
    // The sum with a half would be rounded itself.
    const low = f32x4.floor(value);
    const up = v128.and(f32x4.ge(f32x4.sub(value, low), f32x4.splat(0.5)), f32x4.splat(1));
    return i32x4.trunc_sat_f32x4_s(f32x4.add(low, up));
  }
  const scaled = f64x2.mul(value, f64x2.splat(65535));
  const up = f64x2.ceil(scaled);
  const over = f64x2.gt(f64x2.sub(up, f64x2.splat(0.5)), scaled);
  return i32x4.trunc_sat_f64x2_u_zero(f64x2.sub(up, v128.and(over, f64x2.splat(1))));
}

@inline function written<T>(row: Row, r: v128, g: v128, b: v128): v128 {
  if (isExact<T>()) {
    const scattered = i8x16.swizzle(i16x8.narrow_i32x4_u(r, g), v128.load(row.masks + SCATTER));
    return v128.or(scattered, i8x16.swizzle(i16x8.narrow_i32x4_u(b, b), v128.load(row.masks + SCATTER_THIRD)));
  }
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(r, g), i16x8.narrow_i32x4_s(b, b));
  return i8x16.swizzle(bytes, v128.load(row.masks + SCATTER));
}

@inline function change<T>(row: Row, c: i32, place: usize, own: v128): v128 {
  return v128.sub<T>(v128.load(row.edited + <usize>c * row.stride + place), own);
}

@inline function brightness<T>(row: Row, place: usize, own: v128): v128 {
  const red = v128.mul<T>(v128.splat<T>(<T>0.299), change<T>(row, 0, place, own));
  const green = v128.mul<T>(v128.splat<T>(<T>0.587), change<T>(row, 1, place, own));
  return v128.add<T>(v128.add<T>(red, green), v128.mul<T>(v128.splat<T>(<T>0.114), change<T>(row, 2, place, own)));
}

/** Returns how many pixels differ from the source. */
function write<T>(row: Row): i32 {
  const sampleBytes = isExact<T>() ? 2 : 1;
  const step = row.channels * sampleBytes;
  const gray = row.channels < 3;
  const colours = v128.load(row.masks + COLOURS);
  let count = 0;
  for (let x = 0; x < row.width; x += lanes<T>()) {
    const place = <usize>x * sizeof<T>();
    const share = row.weighted == EVERYWHERE ? v128.splat<T>(<T>1) : shares<T>(row, x);
    const own = v128.load(row.planes + place);
    let r: v128, g: v128, b: v128;
    if (gray) {
      r = rounded<T>(mixed<T>(own, share, brightness<T>(row, place, own)));
      g = r;
      b = r;
    } else {
      const ownGreen = v128.load(row.planes + row.stride + place), ownBlue = v128.load(row.planes + 2 * row.stride + place);
      r = rounded<T>(toEdited<T>(row, 0, place, own, share));
      g = rounded<T>(toEdited<T>(row, 1, place, ownGreen, share));
      b = rounded<T>(toEdited<T>(row, 2, place, ownBlue, share));
    }
    const source = v128.load(row.source + x * step), before = v128.load(row.target + x * step);
    const where = i8x16.swizzle(v128.gt<T>(share, v128.splat<T>(<T>0)), colours);
    const after = v128.bitselect(written<T>(row, r, g, b), before, where);
    v128.store(row.target + x * step, after);
    const differs = v128.not(i8x16.eq(after, source));
    let any = i8x16.swizzle(differs, v128.load(row.masks + ANY));
    for (let k = 1; k < step; k++) any = v128.or(any, i8x16.swizzle(differs, v128.load(row.masks + ANY + (<usize>k << 4))));
    if (isExact<T>()) store<u16>(row.changed + x, i16x8.extract_lane_u(any, 0));
    else store<u32>(row.changed + x, i32x4.extract_lane(any, 0));
    const beyond = x + lanes<T>() - row.width;
    const seen = (1 << (lanes<T>() - max(0, beyond))) - 1;
    count += popcnt(i8x16.bitmask(any) & seen);
  }
  return count;
}

@inline function compositeRow<T>(pointer: usize): i32 {
  const row = changetype<Row>(pointer);
  read<T>(row);
  if (row.edit == TONES) mapTones<T>(row);
  else if (row.edit == OBJECT) mapObject<T>(row);
  else if (row.edit == TABLED) mapTable<T>(row);
  else if (row.edit != GIVEN) transfer<T>(row);
  return write<T>(row);
}

export function compositeBytes(pointer: usize): i32 { return compositeRow<f32>(pointer); }
export function compositeWords(pointer: usize): i32 { return compositeRow<f64>(pointer); }
