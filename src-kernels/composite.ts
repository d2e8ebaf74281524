// One row of a photo: what an edit makes of it, mixed in by weight (src-main/engine/image/compositing/composite-rows.ts is the
// plain loop that says the same in TypeScript). T is f64 for samples of 16 bits, on planes in 0..1 rounded to f32 wherever the
// plain loop keeps an f32, so that both give the same bytes; f32 for samples of 8 bits, on planes in 0..255: twice the pixels
// per vector, and half a level in some millions of samples falls to the other side.

const GIVEN: i32 = 0;
const TONES: i32 = 1;
const OBJECT: i32 = 2;
const WINDOWS: i32 = 3;
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

/** Behind the masks: what a loop of f32 wants in registers, which constants would be made anew for every pixel. */
const NUMBERS: usize = 14 * 16;

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

/** 1.5 · 2²³: added to an f32 of some thousands it leaves a whole number, in the low bits; the others are its own bits. */
@inline function wholeOf(row: Row): v128 { return v128.load_splat<f32>(row.masks + NUMBERS); }
@inline function halfOf(row: Row): v128 { return v128.load_splat<f32>(row.masks + NUMBERS, 4); }

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
@inline function bentWords(curve: usize, knots: i32, t: v128): v128 {
  const scaled = f64x2.mul(t, f64x2.splat(knots - 1));
  const knot = f64x2.pmin(f64x2.splat(knots - 2), f64x2.pmax(f64x2.splat(0), f64x2.floor(scaled)));
  const at = i32x4.trunc_sat_f64x2_s_zero(knot);
  const first = v128.load(curve + (<usize>i32x4.extract_lane(at, 0) << 3));
  const second = v128.load(curve + (<usize>i32x4.extract_lane(at, 1) << 3));
  const low = v128.shuffle<f64>(first, second, 0, 2);
  const high = v128.shuffle<f64>(first, second, 1, 3);
  return f64x2.add(low, f64x2.mul(f64x2.sub(scaled, knot), f64x2.sub(high, low)));
}

/** The nearest middle of a piece says which piece it is; where two meet, either says the same. */
@inline function bentBytes(curve: v128, scaled: v128, last: v128, whole: v128, half: v128): v128 {
  const shifted = f32x4.add(f32x4.pmin(last, f32x4.pmax(f32x4.splat(0), f32x4.sub(scaled, half))), whole);
  const at = i32x4.add(i32x4.shl(i32x4.sub(shifted, whole), 2), curve);
  const a = v128.load64_zero(<usize>i32x4.extract_lane(at, 0));
  const b = v128.load64_zero(<usize>i32x4.extract_lane(at, 1));
  const c = v128.load64_zero(<usize>i32x4.extract_lane(at, 2));
  const d = v128.load64_zero(<usize>i32x4.extract_lane(at, 3));
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const low = v128.shuffle<f64>(ab, cd, 0, 2);
  const high = v128.shuffle<f64>(ab, cd, 1, 3);
  return f32x4.add(low, f32x4.mul(f32x4.sub(scaled, f32x4.sub(shifted, whole)), f32x4.sub(high, low)));
}

function mapTones<T>(row: Row): void {
  const channels = row.gray ? 1 : 3, stride = row.stride, knots = row.knots;
  const red = row.planes;
  const gray = row.channels < 3;
  const green = gray ? red : red + stride;
  const blue = gray ? red : green + stride;
  const end = <usize>row.width * sizeof<T>();
  const whole = wholeOf(row), half = halfOf(row);
  const scale = f32x4.splat(<f32>(knots - 1) / 255), last = f32x4.splat(<f32>(knots - 2));
  const highest = top<T>();
  for (let c = 0; c < channels; c++) {
    const maps = row.maps + <usize>(c * 4) * sizeof<T>(), curve = row.curves + <usize>(c * knots) * sizeof<T>();
    const m0 = splat<T>(maps, 0), m1 = splat<T>(maps, 1), m2 = splat<T>(maps, 2), m3 = splat<T>(maps, 3);
    const to = row.edited + <usize>c * stride, at = i32x4.splat(<i32>curve);
    for (let x: usize = 0; x < end; x += 16) {
      // In the plain loop's order.
      const sum = v128.add<T>(v128.mul<T>(m0, v128.load(red + x)), v128.mul<T>(m1, v128.load(green + x)));
      let value = v128.add<T>(v128.add<T>(sum, v128.mul<T>(m2, v128.load(blue + x))), m3);
      if (knots > 0) value = isExact<T>() ? bentWords(curve, knots, value) : bentBytes(at, f32x4.mul(value, scale), last, whole, half);
      v128.store(to + x, v128.pmin<T>(highest, v128.pmax<T>(v128.splat<T>(<T>0), kept<T>(value))));
    }
  }
  if (row.gray == 0) return;
  memory.copy(row.edited + stride, row.edited, end);
  memory.copy(row.edited + 2 * stride, row.edited, end);
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

/** A table of differences, linear between its colours. */
function mapTable<T>(row: Row): void {
  const red = row.planes;
  const gray = row.channels < 3;
  const green = gray ? red : red + row.stride;
  const blue = gray ? red : green + row.stride;
  if (isExact<T>()) mapWords(row, red, green, blue);
  else mapBytes(row, red, green, blue);
}

/** A pixel at a time, in f32. */
@inline function mapWords(row: Row, red: usize, green: usize, blue: usize): void {
  const end = <usize>row.width << 3;
  for (let x: usize = 0; x < end; x += 8) {
    const steps = <f32>(GRID - 1);
    const r = <f32>load<f64>(red + x) * steps, g = <f32>load<f64>(green + x) * steps, b = <f32>load<f64>(blue + x) * steps;
    const i = min(GRID - 2, <i32>r), j = min(GRID - 2, <i32>g), k = min(GRID - 2, <i32>b);
    const at = row.table + (<usize>((i * GRID + j) * GRID + k) << 4);
    const rest = f32x4.splat(b - <f32>k), across = f32x4.splat(g - <f32>j);
    const change = lerp(across4(at, across, rest), across4(at + 16 * GRID * GRID, across, rest), f32x4.splat(r - <f32>i));
    store<f64>(row.edited + x, <f64>(<f32>(load<f64>(red + x) + <f64>f32x4.extract_lane(change, 0))));
    store<f64>(row.edited + row.stride + x, <f64>(<f32>(load<f64>(green + x) + <f64>f32x4.extract_lane(change, 1))));
    store<f64>(row.edited + 2 * row.stride + x, <f64>(<f32>(load<f64>(blue + x) + <f64>f32x4.extract_lane(change, 2))));
  }
  for (let c: usize = 0; c < 3; c++) {
    const plane = row.edited + c * row.stride;
    for (let x: usize = 0; x < end; x += 16) v128.store(plane + x, clamp<f64>(v128.load(plane + x)));
  }
}

/** 1/128 of a cell of the table, from a byte: 4096 at 255. */
@inline function placed(at: usize, whole: v128): v128 {
  const byte = i32x4.sub(f32x4.add(v128.load(at), whole), whole);
  return i32x4.add(i32x4.shl(byte, 4), i32x4.shr_s(i32x4.add(byte, i32x4.splat(8)), 4));
}

/** What two corners of a cell that lie along blue add: a pair per colour, by the pixel's pair of weights. */
@inline function corners(at: usize, weights: v128): v128 { return i32x4.dot_i16x8_s(v128.load(at), weights); }

@inline function changeAt(at: usize, w00: v128, w01: v128, w10: v128, w11: v128): v128 {
  const low = i32x4.add(corners(at, w00), corners(at + 16 * GRID, w01));
  return i32x4.add(low, i32x4.add(corners(at + 16 * GRID * GRID, w10), corners(at + 16 * GRID * (GRID + 1), w11)));
}

/** Whole numbers throughout, for four pixels at a time: eight weights of 2¹⁴ in all by differences in 1/64. */
@inline function mapBytes(row: Row, red: usize, green: usize, blue: usize): void {
  const whole = wholeOf(row);
  const to = row.edited, stride = row.stride, table = i32x4.splat(<i32>row.table);
  const part = i32x4.splat(127), all = i16x8.splat(128), unit = f32x4.splat(<f32>(1.0 / 1048576.0));
  const end = <usize>row.width << 2;
  for (let x: usize = 0; x < end; x += 16) {
    const r = placed(red + x, whole), g = placed(green + x, whole), b = placed(blue + x, whole);
    const cells = v128.or(i32x4.shr_s(r, 7), i32x4.shl(i32x4.shr_s(g, 7), 16));
    const strides = i32x4.splat((16 * GRID * GRID) | ((16 * GRID) << 16));
    const at = i32x4.add(table, i32x4.add(i32x4.dot_i16x8_s(cells, strides), i32x4.shl(i32x4.shr_s(b, 7), 4)));
    const r0 = v128.and(r, part), g0 = v128.and(g, part), b0 = v128.and(b, part);
    const r2 = v128.or(r0, i32x4.shl(r0, 16)), g2 = v128.or(g0, i32x4.shl(g0, 16));
    const r1 = i16x8.sub(all, r2), g1 = i16x8.sub(all, g2);
    const far = i32x4.shl(b0, 8);
    const near = i32x4.min_s(i32x4.splat(32767), i32x4.sub(i32x4.splat(32768), far));
    const along = v128.or(near, i32x4.shl(far, 16));
    const w00 = i16x8.q15mulr_sat_s(i16x8.mul(r1, g1), along);
    const w01 = i16x8.q15mulr_sat_s(i16x8.mul(r1, g2), along);
    const w10 = i16x8.q15mulr_sat_s(i16x8.mul(r2, g1), along);
    const w11 = i16x8.q15mulr_sat_s(i16x8.mul(r2, g2), along);
    const a = changeAt(<usize>i32x4.extract_lane(at, 0), lane0(w00), lane0(w01), lane0(w10), lane0(w11));
    const c = changeAt(<usize>i32x4.extract_lane(at, 1), lane1(w00), lane1(w01), lane1(w10), lane1(w11));
    const d = changeAt(<usize>i32x4.extract_lane(at, 2), lane2(w00), lane2(w01), lane2(w10), lane2(w11));
    const e = changeAt(<usize>i32x4.extract_lane(at, 3), lane3(w00), lane3(w01), lane3(w10), lane3(w11));
    const ac = v128.shuffle<i32>(a, c, 0, 4, 1, 5), de = v128.shuffle<i32>(d, e, 0, 4, 1, 5);
    addChange(red + x, to + x, v128.shuffle<i64>(ac, de, 0, 2), unit);
    addChange(green + x, to + stride + x, v128.shuffle<i64>(ac, de, 1, 3), unit);
    const thirds = v128.shuffle<i64>(v128.shuffle<i32>(a, c, 2, 6, 3, 7), v128.shuffle<i32>(d, e, 2, 6, 3, 7), 0, 2);
    addChange(blue + x, to + 2 * stride + x, thirds, unit);
  }
}

@inline function lane0(pairs: v128): v128 { return v128.shuffle<i32>(pairs, pairs, 0, 0, 0, 0); }
@inline function lane1(pairs: v128): v128 { return v128.shuffle<i32>(pairs, pairs, 1, 1, 1, 1); }
@inline function lane2(pairs: v128): v128 { return v128.shuffle<i32>(pairs, pairs, 2, 2, 2, 2); }
@inline function lane3(pairs: v128): v128 { return v128.shuffle<i32>(pairs, pairs, 3, 3, 3, 3); }

@inline function addChange(own: usize, to: usize, change: v128, unit: v128): void {
  v128.store(to, clamp<f32>(f32x4.add(v128.load(own), f32x4.mul(f32x4.convert_i32x4_s(change), unit))));
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
@inline function toEdited<T>(edited: v128, own: v128, share: v128): v128 {
  const partly = mixed<T>(own, share, v128.sub<T>(edited, own));
  return isExact<T>() ? partly : v128.bitselect(edited, partly, f32x4.ge(share, f32x4.splat(1)));
}

/** Math.round, then within the samples' range; u32 lanes. */
@inline function rounded<T>(value: v128, whole: v128, half: v128): v128 {
  if (!isExact<T>()) {
    // To the nearest whole number, of two as near as each other to the even one: that gets back what it lost.
    const shifted = f32x4.add(value, whole);
    const lost = f32x4.eq(f32x4.sub(value, f32x4.sub(shifted, whole)), half);
    return i32x4.sub(i32x4.sub(shifted, whole), lost);
  }
  const scaled = f64x2.mul(value, f64x2.splat(65535));
  const up = f64x2.ceil(scaled);
  const over = f64x2.gt(f64x2.sub(up, f64x2.splat(0.5)), scaled);
  return i32x4.trunc_sat_f64x2_u_zero(f64x2.sub(up, v128.and(over, f64x2.splat(1))));
}

@inline function written<T>(masks: usize, r: v128, g: v128, b: v128): v128 {
  if (isExact<T>()) {
    const scattered = i8x16.swizzle(i16x8.narrow_i32x4_u(r, g), v128.load(masks + SCATTER));
    return v128.or(scattered, i8x16.swizzle(i16x8.narrow_i32x4_u(b, b), v128.load(masks + SCATTER_THIRD)));
  }
  const bytes = i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(r, g), i16x8.narrow_i32x4_s(b, b));
  return i8x16.swizzle(bytes, v128.load(masks + SCATTER));
}

@inline function brightness<T>(edited: usize, stride: usize, own: v128): v128 {
  const red = v128.mul<T>(v128.splat<T>(<T>0.299), v128.sub<T>(v128.load(edited), own));
  const green = v128.mul<T>(v128.splat<T>(<T>0.587), v128.sub<T>(v128.load(edited + stride), own));
  return v128.add<T>(v128.add<T>(red, green), v128.mul<T>(v128.splat<T>(<T>0.114), v128.sub<T>(v128.load(edited + 2 * stride), own)));
}

/** Returns how many pixels differ from the source. */
function write<T>(row: Row): i32 {
  const channels = row.channels, masks = row.masks, planes = row.planes, edited = row.edited, stride = row.stride, width = row.width;
  const source = row.source, target = row.target, changed = row.changed, weighted = row.weighted;
  const whole = wholeOf(row), half = halfOf(row);
  const step = channels * (isExact<T>() ? 2 : 1);
  const colours = v128.load(masks + COLOURS);
  const any0 = v128.load(masks + ANY), any1 = v128.load(masks + ANY, 16), any2 = v128.load(masks + ANY, 32), any3 = v128.load(masks + ANY, 48);
  let count = 0;
  for (let x = 0; x < width; x += lanes<T>()) {
    const place = planes + <usize>x * sizeof<T>(), to = edited + <usize>x * sizeof<T>();
    const share = weighted == EVERYWHERE ? v128.splat<T>(<T>1) : shares<T>(row, x);
    let r: v128, g: v128, b: v128;
    if (channels < 3) {
      const own = v128.load(place);
      r = rounded<T>(mixed<T>(own, share, brightness<T>(to, stride, own)), whole, half);
      g = r;
      b = r;
    } else if (!isExact<T>() && weighted == EVERYWHERE) {
      r = rounded<T>(v128.load(to), whole, half);
      g = rounded<T>(v128.load(to + stride), whole, half);
      b = rounded<T>(v128.load(to + 2 * stride), whole, half);
    } else {
      r = rounded<T>(toEdited<T>(v128.load(to), v128.load(place), share), whole, half);
      g = rounded<T>(toEdited<T>(v128.load(to + stride), v128.load(place + stride), share), whole, half);
      b = rounded<T>(toEdited<T>(v128.load(to + 2 * stride), v128.load(place + 2 * stride), share), whole, half);
    }
    const was = v128.load(source + x * step), before = v128.load(target + x * step);
    const where = i8x16.swizzle(v128.gt<T>(share, v128.splat<T>(<T>0)), colours);
    const after = v128.bitselect(written<T>(masks, r, g, b), before, where);
    v128.store(target + x * step, after);
    const differs = v128.not(i8x16.eq(after, was));
    let any = v128.or(v128.or(i8x16.swizzle(differs, any0), i8x16.swizzle(differs, any1)), v128.or(i8x16.swizzle(differs, any2), i8x16.swizzle(differs, any3)));
    for (let k = 4; k < step; k++) any = v128.or(any, i8x16.swizzle(differs, v128.load(masks + ANY + (<usize>k << 4))));
    if (isExact<T>()) store<u16>(changed + x, i16x8.extract_lane_u(any, 0));
    else store<u32>(changed + x, i32x4.extract_lane(any, 0));
    const beyond = x + lanes<T>() - width;
    const seen = (1 << (lanes<T>() - max(0, beyond))) - 1;
    count += popcnt(i8x16.bitmask(any) & seen);
  }
  return count;
}

/** Pixels whose planes stay in a processor's nearest cache. */
const PIECE: i32 = 1024;

function compositeRow<T>(pointer: usize): i32 {
  const row = changetype<Row>(pointer);
  // Runs of neighbours begin with the row.
  if (row.edit == GIVEN || row.edit == WINDOWS) return compositePiece<T>(row);
  const width = row.width, source = row.source, target = row.target, changed = row.changed, weights = row.weights;
  const step = row.channels * (isExact<T>() ? 2 : 1);
  let count = 0;
  for (let x = 0; x < width; x += PIECE) {
    row.width = min(PIECE, width - x);
    row.source = source + x * step;
    row.target = target + x * step;
    row.changed = changed + x;
    row.weights = weights + (row.weighted == BYTES ? x : x << 3);
    count += compositePiece<T>(row);
  }
  row.width = width;
  row.source = source;
  row.target = target;
  row.changed = changed;
  row.weights = weights;
  return count;
}

function compositePiece<T>(row: Row): i32 {
  read<T>(row);
  if (row.edit == TONES) mapTones<T>(row);
  else if (row.edit == OBJECT) mapObject<T>(row);
  else if (row.edit == TABLED) mapTable<T>(row);
  else if (row.edit == WINDOWS) transfer<T>(row);
  return write<T>(row);
}

export function compositeBytes(pointer: usize): i32 { return compositeRow<f32>(pointer); }
export function compositeWords(pointer: usize): i32 { return compositeRow<f64>(pointer); }
