// Loops over the pixels of a pair of pictures (src-main/engine/image/compositing/transfer.ts says the same in TypeScript): sums of
// their colours and of products, what twelve coefficients between the windows make of a row, and the blur of where that fails.
// In f32 but for the regressions.

@unmanaged
class Sums {
  length: i32;    // samples of a row, rounded up to four
  count: i32;     // rows of the picture
  rows: usize;    // of each six rows: red, green, blue of the one picture, then of the other
  sums: usize;    // 21 rows, to be written: the colours, products of the one picture's, of both pictures'
  stride: usize;  // bytes from row to row
}

/** Sums of all rows at once, each kept where it is until the last row: 21 rows to be read and written again cost more. */
export function sumRows(pointer: usize): void {
  const job = changetype<Sums>(pointer);
  const stride = job.stride;
  const zero = f32x4.splat(0);
  for (let at: usize = 0, end = <usize>job.length * 4; at < end; at += 16) {
    let r = zero, g = zero, b = zero, x = zero, y = zero, z = zero;
    let rr = zero, rg = zero, rb = zero, gg = zero, gb = zero, bb = zero;
    let from = job.rows + at;
    for (let k = 0; k < job.count; k++, from += 6 * stride) {
      const red = v128.load(from), green = v128.load(from + stride), blue = v128.load(from + 2 * stride);
      r = f32x4.add(r, red), g = f32x4.add(g, green), b = f32x4.add(b, blue);
      x = f32x4.add(x, v128.load(from + 3 * stride));
      y = f32x4.add(y, v128.load(from + 4 * stride));
      z = f32x4.add(z, v128.load(from + 5 * stride));
      rr = f32x4.add(rr, f32x4.mul(red, red)), rg = f32x4.add(rg, f32x4.mul(red, green)), rb = f32x4.add(rb, f32x4.mul(red, blue));
      gg = f32x4.add(gg, f32x4.mul(green, green)), gb = f32x4.add(gb, f32x4.mul(green, blue)), bb = f32x4.add(bb, f32x4.mul(blue, blue));
    }
    let to = job.sums + at;
    to = store6(to, stride, r, g, b, x, y, z);
    to = store6(to, stride, rr, rg, rb, gg, gb, bb);
    for (let c: usize = 0; c < 3; c++) to = sumProducts(job, at, c * stride, to);
  }
}

@inline function store6(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): usize {
  v128.store(to, a);
  v128.store(to + stride, b);
  v128.store(to + 2 * stride, c);
  v128.store(to + 3 * stride, d);
  v128.store(to + 4 * stride, e);
  v128.store(to + 5 * stride, f);
  return to + 6 * stride;
}

/** Of one colour of the one picture with three of the other. */
@inline function sumProducts(job: Sums, at: usize, colour: usize, to: usize): usize {
  const stride = job.stride;
  let x = f32x4.splat(0), y = x, z = x;
  let from = job.rows + at;
  for (let k = 0; k < job.count; k++, from += 6 * stride) {
    const own = v128.load(from + colour);
    x = f32x4.add(x, f32x4.mul(own, v128.load(from + 3 * stride)));
    y = f32x4.add(y, f32x4.mul(own, v128.load(from + 4 * stride)));
    z = f32x4.add(z, f32x4.mul(own, v128.load(from + 5 * stride)));
  }
  v128.store(to, x);
  v128.store(to + stride, y);
  v128.store(to + 2 * stride, z);
  return to + 3 * stride;
}

/** Bytes of a window's twelve coefficients. */
const WINDOW: usize = 48;

@unmanaged
class FitRow {
  width: i32;
  windows: i32;         // along a row
  upper: usize;         // twelve coefficients per window: the row of windows above, and the one below
  lower: usize;
  down: f32;            // how far towards the lower one
  mixed: usize;         // room for one row of windows and one more
  left: usize;          // i32 per pixel: bytes to the window on its left
  part: usize;          // f32 per pixel: how far towards the next one
  pictures: usize;      // six rows, as above
  coefficients: usize;  // twelve rows, to be written
  stride: usize;        // bytes from row to row
  prior: usize;         // twelve f32
  error: usize;         // largest difference of any channel, to be written: of the fit
  change: usize;        // and of the prior alone
}

/** Four coefficients of four pixels into four rows. */
@inline function spread(row: FitRow, x: usize, group: usize): void {
  const from = row.mixed + 16 * group;
  const a = mixedAt(row, from, x);
  const b = mixedAt(row, from, x + 1);
  const c = mixedAt(row, from, x + 2);
  const d = mixedAt(row, from, x + 3);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  const to = row.coefficients + 4 * group * row.stride + 4 * x;
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to + row.stride, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
  v128.store(to + 2 * row.stride, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5));
  v128.store(to + 3 * row.stride, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7));
}

@inline function mixedAt(row: FitRow, from: usize, x: usize): v128 {
  const at = from + <usize>load<i32>(row.left + 4 * x);
  const value = v128.load(at);
  const part = v128.load32_splat(row.part + 4 * x);
  return f32x4.add(value, f32x4.mul(part, f32x4.sub(v128.load(at + WINDOW), value)));
}

/** Coefficients, errors and changes of a row. Gives the sum of squared errors. */
export function fitRow(pointer: usize): f32 {
  const row = changetype<FitRow>(pointer);
  const end = <usize>row.windows * WINDOW;
  const down = f32x4.splat(row.down);
  for (let at: usize = 0; at < end; at += 16) {
    const upper = v128.load(row.upper + at);
    v128.store(row.mixed + at, f32x4.add(upper, f32x4.mul(down, f32x4.sub(v128.load(row.lower + at), upper))));
  }
  for (let at: usize = 0; at < WINDOW; at += 16) v128.store(row.mixed + end + at, v128.load(row.mixed + end - WINDOW + at));
  const stride = row.stride;
  let total = f32x4.splat(0);
  for (let x = 0; x < row.width; x += 4) {
    for (let group: usize = 0; group < 3; group++) spread(row, x, group);
    const inside = i32x4.lt_s(i32x4.add(i32x4.splat(x), i32x4(0, 1, 2, 3)), i32x4.splat(row.width));
    const from = row.pictures + 4 * <usize>x;
    const red = v128.load(from);
    const green = v128.load(from + stride);
    const blue = v128.load(from + 2 * stride);
    let error = f32x4.splat(0);
    let change = f32x4.splat(0);
    for (let c: usize = 0; c < 3; c++) {
      const wanted = v128.load(from + (3 + c) * stride);
      const own = row.coefficients + 4 * <usize>x + 3 * c * stride;
      const offset = v128.load(row.coefficients + 4 * <usize>x + (9 + c) * stride);
      const ours = f32x4.sub(affine(red, green, blue, v128.load(own), v128.load(own + stride), v128.load(own + 2 * stride), offset), wanted);
      const prior = row.prior + 12 * c;
      const theirs = f32x4.sub(
        affine(red, green, blue, v128.load32_splat(prior), v128.load32_splat(prior + 4), v128.load32_splat(prior + 8), v128.load32_splat(row.prior + 4 * (9 + c))),
        wanted,
      );
      const counted = v128.and(ours, inside);
      total = f32x4.add(total, f32x4.mul(counted, counted));
      error = f32x4.max(error, f32x4.abs(ours));
      change = f32x4.max(change, f32x4.abs(theirs));
    }
    v128.store(row.error + 4 * <usize>x, error);
    v128.store(row.change + 4 * <usize>x, change);
  }
  return f32x4.extract_lane(total, 0) + f32x4.extract_lane(total, 1) + f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3);
}

@inline function affine(red: v128, green: v128, blue: v128, a: v128, b: v128, c: v128, offset: v128): v128 {
  return f32x4.add(f32x4.add(f32x4.add(f32x4.mul(a, red), f32x4.mul(b, green)), f32x4.mul(c, blue)), offset);
}

@unmanaged
class Grid {
  width: i32;     // windows of a row
  height: i32;
  from: usize;    // twelve coefficients per window
  to: usize;      // the same for 2·width − 1 by 2·height − 1 windows
}

/** Windows halfway between others, of four neighbours each, along rows and then along columns. */
export function refine(pointer: usize): void {
  const grid = changetype<Grid>(pointer);
  const stride = <usize>(2 * grid.width - 1) * WINDOW;
  for (let y = 0; y < grid.height; y++) {
    const from = grid.from + <usize>(y * grid.width) * WINDOW;
    const to = grid.to + 2 * <usize>y * stride;
    for (let at: usize = 0, end = <usize>grid.width * WINDOW; at < end; at += WINDOW)
      for (let k: usize = 0; k < WINDOW; k += 16) v128.store(to + 2 * at + k, v128.load(from + at + k));
    halve(to, 2 * WINDOW, grid.width, WINDOW);
  }
  halve(grid.to, 2 * stride, grid.height, stride);
}

/** Fills what lies between `count` pieces of `bytes`, each `step` behind the other. */
function halve(start: usize, step: usize, count: i32, bytes: usize): void {
  const end = start + <usize>(count - 1) * step;
  const nine = f32x4.splat(9);
  const part = f32x4.splat(1 / 16);
  for (let at = start; at < end; at += step) {
    const before = at == start ? start : at - step;
    const after = at + step == end ? end : at + 2 * step;
    for (let k: usize = 0; k < bytes; k += 16) {
      const near = f32x4.mul(nine, f32x4.add(v128.load(at + k), v128.load(at + step + k)));
      const far = f32x4.add(v128.load(before + k), v128.load(after + k));
      v128.store(at + step / 2 + k, f32x4.mul(part, f32x4.sub(near, far)));
    }
  }
}

/** Floats of a block: 21 moments and room. */
const MOMENTS: i32 = 21;
const BLOCK: usize = 96;

@unmanaged
class Means {
  blocks: i32;    // of a row
  block: i32;     // samples along each side of one
  last: i32;      // samples of the last one that lie inside the picture
  sums: usize;    // of `block` rows, as above
  stride: usize;
  to: usize;      // a block beyond either end of the row, and the row
  totals: usize;  // 24 f32, to be written: means times the samples that they are of, along the row
}

/** Means of blocks from sums of their rows; beyond both ends lie the outermost samples. */
export function meanRow(pointer: usize): void {
  const job = changetype<Means>(pointer);
  const length = <usize>(job.blocks * job.block) * 4;
  const area = <f32>(job.block * job.block);
  for (let k = 0; k < MOMENTS; k++) {
    const from = job.sums + <usize>k * job.stride;
    const to = job.to + 4 * <usize>k;
    store<f32>(to, load<f32>(from) / <f32>job.block);
    const done = job.block == 2 ? meanPairs(from, to + BLOCK, job.blocks) : 0;
    let at = from + <usize>(done * job.block) * 4;
    for (let i = done; i < job.blocks; i++) {
      let sum: f32 = 0;
      for (let n = 0; n < job.block; n++, at += 4) sum += load<f32>(at);
      store<f32>(to + <usize>(i + 1) * BLOCK, sum / area);
    }
    const last = to + <usize>job.blocks * BLOCK;
    store<f32>(last + BLOCK, load<f32>(from + length - 4) / <f32>job.block);
  }
  for (let k: usize = 0; k < 4 * MOMENTS; k += 4) store<f32>(job.totals + k, 0);
  for (let i = 1; i <= job.blocks; i++) {
    const share = f32x4.splat(<f32>(i == job.blocks ? job.last : job.block));
    const from = job.to + <usize>i * BLOCK;
    for (let k: usize = 0; k < BLOCK; k += 16)
      v128.store(job.totals + k, f32x4.add(v128.load(job.totals + k), f32x4.mul(share, v128.load(from + k))));
  }
}

/** Blocks of two samples, four at a time; gives how many. */
function meanPairs(from: usize, to: usize, blocks: i32): i32 {
  const quarter = f32x4.splat(0.25);
  let i = 0;
  for (; i + 4 <= blocks; i += 4, from += 32, to += 4 * BLOCK) {
    const a = v128.load(from), b = v128.load(from, 16);
    const mean = f32x4.mul(quarter, f32x4.add(v128.shuffle<f32>(a, b, 0, 2, 4, 6), v128.shuffle<f32>(a, b, 1, 3, 5, 7)));
    v128.store32_lane(to, mean, 0);
    v128.store32_lane(to + BLOCK, mean, 1);
    v128.store32_lane(to + 2 * BLOCK, mean, 2);
    v128.store32_lane(to + 3 * BLOCK, mean, 3);
  }
  return i;
}

@unmanaged
class Mix {
  vectors: i32;   // four floats each, of a row
  taps: i32;
  rows: usize;    // per tap where its row begins
  weights: usize; // per tap
  mixed: usize;   // one row
  windows: i32;
  reach: i32;     // taps of a window along the row
  places: usize;  // per window and tap: bytes to its block
  across: usize;  // their weights
  to: usize;      // a block per window
}

/** One row of windows, of the rows of blocks that it sees. */
export function mixRow(pointer: usize): void {
  const job = changetype<Mix>(pointer);
  for (let at: usize = 0, end = <usize>job.vectors * 16; at < end; at += BLOCK) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a;
    for (let k: usize = 0; k < <usize>job.taps; k++) {
      const share = v128.load32_splat(job.weights + 4 * k);
      const from = <usize>load<u32>(job.rows + 4 * k) + at;
      a = f32x4.add(a, f32x4.mul(share, v128.load(from)));
      b = f32x4.add(b, f32x4.mul(share, v128.load(from, 16)));
      c = f32x4.add(c, f32x4.mul(share, v128.load(from, 32)));
      d = f32x4.add(d, f32x4.mul(share, v128.load(from, 48)));
      e = f32x4.add(e, f32x4.mul(share, v128.load(from, 64)));
      f = f32x4.add(f, f32x4.mul(share, v128.load(from, 80)));
    }
    storeBlock(job.mixed + at, a, b, c, d, e, f);
  }
  let place = job.places;
  let weight = job.across;
  let to = job.to;
  for (let i = 0; i < job.windows; i++, to += BLOCK) {
    let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a;
    for (let k = 0; k < job.reach; k++, place += 4, weight += 4) {
      const share = v128.load32_splat(weight);
      const from = job.mixed + <usize>load<u32>(place);
      a = f32x4.add(a, f32x4.mul(share, v128.load(from)));
      b = f32x4.add(b, f32x4.mul(share, v128.load(from, 16)));
      c = f32x4.add(c, f32x4.mul(share, v128.load(from, 32)));
      d = f32x4.add(d, f32x4.mul(share, v128.load(from, 48)));
      e = f32x4.add(e, f32x4.mul(share, v128.load(from, 64)));
      f = f32x4.add(f, f32x4.mul(share, v128.load(from, 80)));
    }
    storeBlock(to, a, b, c, d, e, f);
  }
}

@inline function storeBlock(to: usize, a: v128, b: v128, c: v128, d: v128, e: v128, f: v128): void {
  v128.store(to, a);
  v128.store(to, b, 16);
  v128.store(to, c, 32);
  v128.store(to, d, 48);
  v128.store(to, e, 64);
  v128.store(to, f, 80);
}

@unmanaged
class Fit {
  windows: i32;
  moments: usize;   // 21 planes of f32, as of sums
  stride: usize;    // bytes from plane to plane
  prior: usize;     // f64: nine of the matrix (out, in), and the ridge
  room: usize;      // f64x2: what a pair of windows needs between
  to: usize;        // twelve f32 per window
}

const PAIR: usize = 16;
const COV_XX: usize = 0;
const COV_XY: usize = 9 * PAIR;
const XY: usize = 18 * PAIR;
const MEANS: usize = 27 * PAIR;

@inline function at(room: usize, k: i32): v128 { return v128.load(room + <usize>k * PAIR); }
@inline function put(room: usize, k: i32, value: v128): void { v128.store(room + <usize>k * PAIR, value); }
@inline function known(prior: usize, k: i32): v128 { return v128.load64_splat(prior + (<usize>k << 3)); }
@inline function moment(job: Fit, k: i32, window: i32): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(job.moments + <usize>k * job.stride + (<usize>window << 2)));
}
@inline function three(a: v128, x: v128, b: v128, y: v128, c: v128, z: v128): v128 {
  return f64x2.add(f64x2.add(f64x2.mul(a, x), f64x2.mul(b, y)), f64x2.mul(c, z));
}

/** A ridge regression per window, towards the prior, from its moments; two windows at a time, in the plain loop's order. */
export function solve(pointer: usize): void {
  const job = changetype<Fit>(pointer);
  for (let window = 0; window < job.windows; window += 2) {
    readCovariances(job, window);
    solvePair(job, window);
  }
}

function readCovariances(job: Fit, window: i32): void {
  const room = job.room, means = room + MEANS;
  for (let k = 0; k < 6; k++) put(means, k, moment(job, k, window));
  for (let a = 0, product = 6; a < 3; a++) {
    for (let b = a; b < 3; b++, product++) {
      const value = f64x2.sub(moment(job, product, window), f64x2.mul(at(means, a), at(means, b)));
      put(room + COV_XX, a * 3 + b, value);
      put(room + COV_XX, b * 3 + a, value);
    }
    for (let b = 0; b < 3; b++) {
      const value = f64x2.sub(moment(job, 12 + a * 3 + b, window), f64x2.mul(at(means, a), at(means, 3 + b)));
      put(room + COV_XY, a * 3 + b, value);
    }
  }
}

/** Of P·cov(x, x)·Pᵀ in one place, ridge apart. */
@inline function spreadXX(room: usize, prior: usize, a: i32, b: i32): v128 {
  const p = known(prior, a * 3), q = known(prior, a * 3 + 1), r = known(prior, a * 3 + 2);
  const x = three(p, at(room, 0), q, at(room, 3), r, at(room, 6));
  const y = three(p, at(room, 1), q, at(room, 4), r, at(room, 7));
  const z = three(p, at(room, 2), q, at(room, 5), r, at(room, 8));
  return three(known(prior, b * 3), x, known(prior, b * 3 + 1), y, known(prior, b * 3 + 2), z);
}

function solvePair(job: Fit, window: i32): void {
  const room = job.room, prior = job.prior, ridge = known(prior, 9), to = job.to + <usize>window * WINDOW;
  for (let i = 0; i < 3; i++) {
    const p = known(prior, i * 3), q = known(prior, i * 3 + 1), r = known(prior, i * 3 + 2);
    for (let j = 0; j < 3; j++) {
      const xy = three(p, at(room + COV_XY, j), q, at(room + COV_XY, 3 + j), r, at(room + COV_XY, 6 + j));
      put(room + XY, i * 3 + j, i == j ? f64x2.add(xy, ridge) : xy);
    }
  }
  const a = f64x2.add(spreadXX(room, prior, 0, 0), ridge), b = spreadXX(room, prior, 0, 1), c = spreadXX(room, prior, 0, 2);
  const d = f64x2.add(spreadXX(room, prior, 1, 1), ridge), e = spreadXX(room, prior, 1, 2);
  const f = f64x2.add(spreadXX(room, prior, 2, 2), ridge);
  const ca = difference(d, f, e, e), cb = difference(c, e, b, f), cc = difference(b, e, c, d);
  const scale = f64x2.div(f64x2.splat(1), three(a, ca, b, cb, c, cc));
  const i0 = f64x2.mul(ca, scale), i1 = f64x2.mul(cb, scale), i2 = f64x2.mul(cc, scale);
  const i4 = f64x2.mul(difference(a, f, c, c), scale), i5 = f64x2.mul(difference(b, c, a, e), scale);
  const i8 = f64x2.mul(difference(a, d, b, b), scale);
  for (let out = 0; out < 3; out++) {
    const x = at(room + XY, out), y = at(room + XY, 3 + out), z = at(room + XY, 6 + out);
    const l0 = three(i0, x, i1, y, i2, z), l1 = three(i1, x, i4, y, i5, z), l2 = three(i2, x, i5, y, i8, z);
    let mean = f64x2.splat(0);
    for (let input = 0; input < 3; input++) {
      const value = three(l0, known(prior, input), l1, known(prior, 3 + input), l2, known(prior, 6 + input));
      mean = f64x2.add(mean, f64x2.mul(value, at(room + MEANS, input)));
      storePair(to + 4 * <usize>(out * 3 + input), value);
    }
    storePair(to + 4 * <usize>(9 + out), f64x2.sub(at(room + MEANS, 3 + out), mean));
  }
}

@inline function difference(a: v128, b: v128, c: v128, d: v128): v128 { return f64x2.sub(f64x2.mul(a, b), f64x2.mul(c, d)); }

/** Into the places of two windows. */
@inline function storePair(to: usize, value: v128): void {
  const pair = f32x4.demote_f64x2_zero(value);
  v128.store32_lane(to, pair, 0);
  v128.store32_lane(to, pair, 1, WINDOW);
}

@unmanaged
class Blur {
  width: i32;
  height: i32;
  taps: i32;
  weights: usize;  // f32 per tap
  padded: usize;   // room for a row, its borders and a vector more
  across: usize;   // room for `taps` rows, each blurred along itself
  stride: usize;   // bytes from row to row of that room: whole vectors
  from: usize;     // the plane, and what becomes of it
  to: usize;
}

/** Blurs a plane, border repeated; rows blurred along themselves stay only as long as a column sees them. */
export function blur(pointer: usize): void {
  const job = changetype<Blur>(pointer);
  const radius = job.taps >> 1;
  let read = 0;
  for (let y = 0; y < job.height; y++) {
    for (; read < job.height && read <= y + radius; read++) blurAcross(job, read);
    const to = job.to + <usize>(y * job.width) * 4;
    for (let x = 0; x < job.width; x += 4) {
      let sum = f32x4.splat(0);
      for (let k = 0; k < job.taps; k++) {
        const row = min(job.height - 1, max(0, y + k - radius)) % job.taps;
        const from = job.across + <usize>row * job.stride + 4 * <usize>x;
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(job.weights + 4 * <usize>k), v128.load(from)));
      }
      storeInside(to, x, job.width, sum);
    }
  }
}

function blurAcross(job: Blur, y: i32): void {
  const radius = <usize>(job.taps >> 1) * 4;
  const bytes = <usize>job.width * 4;
  const from = job.from + <usize>y * bytes;
  memory.copy(job.padded + radius, from, bytes);
  for (let k: usize = 0; k < radius; k += 4) {
    store<f32>(job.padded + k, load<f32>(from));
    store<f32>(job.padded + radius + bytes + k, load<f32>(from + bytes - 4));
  }
  const to = job.across + <usize>(y % job.taps) * job.stride;
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < 4 * <usize>job.taps; k += 4) sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(job.weights + k), v128.load(job.padded + at + k)));
    v128.store(to + at, sum);
  }
}

/** Not beyond the row, where the next one begins. */
@inline function storeInside(to: usize, x: i32, width: i32, value: v128): void {
  const at = to + 4 * <usize>x;
  if (x + 4 <= width) v128.store(at, value);
  else {
    v128.store32_lane(at, value, 0);
    if (x + 1 < width) v128.store32_lane(at + 4, value, 1);
    if (x + 2 < width) v128.store32_lane(at + 8, value, 2);
  }
}
