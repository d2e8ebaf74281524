// Detail scales: the inner loops of one scale (src-main/engine/detail says what they are for and which papers they follow).
// A picture is five bytes per pixel: red, green, blue, and how much the lightness changes to the right and downwards.
// Distances are sums of whole numbers, so that they are the same whatever the order; SIMD without relaxed operations.

const CHANNELS: i32 = 5;
/** Patches are 5×5. */
const R: i32 = 2;
const ROW_BYTES: i32 = 5 * CHANNELS;
/** Passes work in bands of so many rows that read other bands as before the pass: the same on any number of workers. */
const BAND: i32 = 32;
const NOTHING: i32 = 0x7fffffff;
/** How much more foreign sources are held off, and the most, so that a sum of 25 at a lead of 3 stays whole. */
const FOREIGN_COUNTS: i32 = 7, MOST_FOREIGN: i32 = 600000;

const HOLE: i32 = 1;
const FORBIDDEN: i32 = 2;
const SOURCE: i32 = 4;
const TARGET: i32 = 8;

/** What is known of a scale. Pictures and states are of the whole scale; fields are of the box around the hole. */
@unmanaged
class Scale {
  width: i32; height: i32;
  planes: usize;      // 5 bytes per pixel
  state: usize;       // 1 byte per pixel: HOLE | FORBIDDEN | SOURCE | TARGET
  boxX: i32; boxY: i32; boxWidth: i32; boxHeight: i32;
  field: usize;       // i32 per box pixel: the pixel that the patch around it is copied from; -1 = none
  before: usize;      // the same, as it was before the pass; only rows at the border of a band
  distance: usize;    // i32 per box pixel
  weight: usize;      // f32 per box pixel
  depth: usize;       // u8 per box pixel: thirds of a pixel to the nearest known one
  confidence: usize;  // f32[256] by depth
  seen: usize;        // 4 bytes per pixel: the photograph as coarse as the model resolves; 0 = no guide
  guide: usize;       // 4 bytes per box pixel: the model's picture
  lead: i32;          // sixteenths, times the pixels of a patch
  seed: u32;
  pass: i32;
  reach: i32;         // of random draws; 0 = the whole window
  origin: usize;      // i32 per box pixel: which pixel was copied
  sharpness: f32;     // 1 / 2σ²
  deepest: i32;
  coarser: usize;     // Scale
  layer: usize; layerLength: i32; sources: usize; sourceCount: i32; choice: usize; scratch: usize; unknown: usize;
  histogram: usize;
  foreign: i32;       // squared distance to what the model says from which on a source counts as foreign; 0 = none does
  layout: i32;        // what a source costs by the square of the rows that it lies higher or lower than its target
}

@inline function scaleAt(pointer: usize): Scale { return changetype<Scale>(pointer); }
@inline function stateOf(s: Scale, i: i32): i32 { return <i32>load<u8>(s.state + <usize>i); }
@inline function fieldOf(s: Scale, k: i32): i32 { return load<i32>(s.field + (<usize>k << 2)); }
@inline function pixelAt(s: Scale, i: i32): usize { return s.planes + <usize>(i * CHANNELS); }

/** A hash of (seed, pixel, pass, draw) instead of a state: the same on any number of workers. */
@inline function mix(value: u32): u32 {
  let x = value;
  x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b;
  return x ^ (x >> 16);
}

@inline function sumOf(v: v128): i32 {
  const pairs = i32x4.add(v, i8x16.shuffle(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}
@inline function squares(a: v128, b: v128): v128 {
  const d = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  const low = i16x8.extend_low_i8x16_u(d), high = i16x8.extend_high_i8x16_u(d);
  return i32x4.add(i32x4.dot_i16x8_s(low, low), i32x4.dot_i16x8_s(high, high));
}
/** 25 bytes are two overlapping vectors; what both hold is counted once. */
@inline function rowSquares(a: usize, b: usize): v128 {
  const tail = v128(0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1);
  return i32x4.add(
    squares(v128.load(a), v128.load(b)),
    squares(v128.and(v128.load(a + 9), tail), v128.and(v128.load(b + 9), tail)),
  );
}
@inline function guideTerm(s: Scale, k: i32, source: i32): i32 {
  const a = i16x8.extend_low_i8x16_u(v128.load32_zero(s.guide + (<usize>k << 2)));
  const b = i16x8.extend_low_i8x16_u(v128.load32_zero(s.seen + (<usize>source << 2)));
  const d = i16x8.sub(a, b);
  const far = sumOf(i32x4.dot_i16x8_s(d, d));
  return s.foreign > 0 && far > s.foreign ? min(far + FOREIGN_COUNTS * (far - s.foreign), MOST_FOREIGN) : far;
}

@inline function layoutTerm(s: Scale, target: i32, source: i32): i32 {
  const rows = target / s.width - source / s.width;
  return s.layout * rows * rows;
}

/** Squared difference of the patches around `target` (box pixel `k`) and `source`; NOTHING as soon as it reaches `limit`. */
function patchDistance(s: Scale, k: i32, target: i32, source: i32, limit: i32): i32 {
  let total = s.seen ? (guideTerm(s, k, source) * s.lead) >> 4 : 0;
  if (s.layout) total += layoutTerm(s, target, source);
  if (total >= limit) return NOTHING;
  const stride = <usize>(s.width * CHANNELS), back = <usize>((R * s.width + R) * CHANNELS);
  let a = pixelAt(s, target) - back, b = pixelAt(s, source) - back;
  let sums = i32x4.add(i32x4.add(rowSquares(a, b), rowSquares(a + stride, b + stride)), rowSquares(a + 2 * stride, b + 2 * stride));
  if (total + sumOf(sums) >= limit) return NOTHING;
  a += 3 * stride; b += 3 * stride;
  sums = i32x4.add(sums, i32x4.add(rowSquares(a, b), rowSquares(a + stride, b + stride)));
  total += sumOf(sums);
  return total >= limit ? NOTHING : total;
}

// ---------------------------------------------------------------------------------------------------- the pyramid

/** Features of the finest scale: |dx| and |dy| of the lightness, three times, where both pixels are known. A piece is a band. */
export function texture(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width;
  for (let y = piece * BAND, end = min(s.height, y + BAND); y < end; y++) for (let x = 0; x < w; x++) {
    const i = y * w + x, p = pixelAt(s, i);
    const known = !(stateOf(s, i) & HOLE), light = lightness(p);
    store<u8>(p + 3, known && x + 1 < w && !(stateOf(s, i + 1) & HOLE) ? step(light, lightness(p + CHANNELS)) : 0);
    store<u8>(p + 4, known && y + 1 < s.height && !(stateOf(s, i + w) & HOLE) ? step(light, lightness(p + <usize>(w * CHANNELS))) : 0);
  }
}
@inline function lightness(p: usize): i32 { return 77 * <i32>load<u8>(p) + 150 * <i32>load<u8>(p + 1) + 29 * <i32>load<u8>(p + 2); }
@inline function step(a: i32, b: i32): u8 { return <u8>min(255, (3 * abs(a - b) + 128) >> 8); }

/** This scale from the finer one in `coarser`'s place: means of known pixels, known where half of them are. */
export function halve(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), fine = scaleAt(s.coarser), w = s.width;
  for (let y = piece * BAND, end = min(s.height, y + BAND); y < end; y++) for (let x = 0; x < w; x++) {
    let known = 0, all = 0, forbidden = 0, c0 = 0, c1 = 0, c2 = 0, c3 = 0, c4 = 0;
    for (let v = 2 * y; v < min(fine.height, 2 * y + 2); v++) for (let u = 2 * x; u < min(fine.width, 2 * x + 2); u++) {
      const i = v * fine.width + u, state = stateOf(fine, i), p = pixelAt(fine, i);
      all++;
      if (state & FORBIDDEN) forbidden++;
      if (state & HOLE) continue;
      known++;
      c0 += load<u8>(p); c1 += load<u8>(p + 1); c2 += load<u8>(p + 2); c3 += load<u8>(p + 3); c4 += load<u8>(p + 4);
    }
    const i = y * w + x, p = pixelAt(s, i), round = known >> 1;
    store<u8>(s.state + <usize>i, <u8>((2 * known >= all ? 0 : HOLE) | (2 * forbidden > all ? FORBIDDEN : 0)));
    if (known == 0) continue;
    store<u8>(p, <u8>((c0 + round) / known)); store<u8>(p + 1, <u8>((c1 + round) / known)); store<u8>(p + 2, <u8>((c2 + round) / known));
    store<u8>(p + 3, <u8>((c3 + round) / known)); store<u8>(p + 4, <u8>((c4 + round) / known));
  }
}

/** Which patches touch the hole and which may be copied from. */
export function mark(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width, ones = i8x16.splat(3), hole = i8x16.splat(<i8>HOLE);
  for (let y = max(R, piece * BAND), end = min(s.height - R, piece * BAND + BAND); y < end; y++) for (let x = R; x < w - R; x += 16) {
    let any = i8x16.splat(0);
    for (let v = -R; v <= R; v++) for (let u = -R; u <= R; u++) any = v128.or(any, v128.load(s.state + <usize>((y + v) * w + x + u)));
    any = v128.and(any, ones);
    const targets = v128.and(i8x16.ne(v128.and(any, hole), i8x16.splat(0)), i8x16.splat(<i8>TARGET));
    const sources = v128.and(i8x16.eq(any, i8x16.splat(0)), i8x16.splat(<i8>SOURCE));
    const at = s.state + <usize>(y * w + x), bits = v128.or(targets, sources), count = min(16, w - R - x);
    if (count == 16) v128.store(at, v128.or(v128.and(v128.load(at), ones), bits));
    else {
      v128.store(s.scratch + (<usize>piece << 4), bits);
      for (let k = 0; k < count; k++) store<u8>(at + <usize>k, <u8>((load<u8>(at + <usize>k) & 3) | load<u8>(s.scratch + (<usize>piece << 4) + <usize>k)));
    }
  }
}

/** Chamfer distance (3-4) of every box pixel to a known one, up to 24 pixels; beyond the picture nothing is known. One piece. */
export function depths(pointer: usize, _piece: i32): void {
  const s = scaleAt(pointer), w = s.boxWidth, h = s.boxHeight;
  let deepest = 0;
  for (let sweep = 0; sweep < 2; sweep++) for (let j = 0; j < w * h; j++) {
    const k = sweep ? w * h - 1 - j : j, x = k % w, y = k / w, o = sweep ? -1 : 1;
    if (!(stateOf(s, (s.boxY + y) * s.width + s.boxX + x) & HOLE)) { store<u8>(s.depth + <usize>k, 0); continue; }
    let d = sweep ? <i32>load<u8>(s.depth + <usize>k) : 252;
    const left = x - o >= 0 && x - o < w, above = y - o >= 0 && y - o < h;
    if (left) d = min(d, <i32>load<u8>(s.depth + <usize>(k - o)) + 3);
    if (above) {
      d = min(d, <i32>load<u8>(s.depth + <usize>(k - o * w)) + 3);
      if (left) d = min(d, <i32>load<u8>(s.depth + <usize>(k - o * w - o)) + 4);
      if (x + o >= 0 && x + o < w) d = min(d, <i32>load<u8>(s.depth + <usize>(k - o * w + o)) + 4);
    }
    store<u8>(s.depth + <usize>k, <u8>min(d, 252));
    if (sweep) deepest = max(deepest, min(d, 252));
  }
  s.deepest = deepest;
}

// ---------------------------------------------------------------------------------------------------- the start

/** Peels one layer (Newson et al. 2014): its pixels take the best of all known patches, as seen by what is known so far. A piece is 8 pixels. */
export function peel(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width, patch = s.scratch + <usize>piece * 512;
  for (let n = piece * 8, end = min(s.layerLength, n + 8); n < end; n++) {
    const target = load<i32>(s.layer + (<usize>n << 2)), count = gather(s, target, patch);
    const k = (target / w - s.boxY) * s.boxWidth + target % w - s.boxX;
    let best = NOTHING, choice = load<i32>(s.sources);
    for (let j = 0; j < s.sourceCount; j++) {
      const source = load<i32>(s.sources + (<usize>j << 2));
      const led = s.seen ? (guideTerm(s, k, source) * s.lead) >> 4 : 0;
      const besides = (count * (led + (s.layout ? layoutTerm(s, target, source) : 0))) / 25;
      const total = masked(s, patch, source, best - besides);
      if (total == NOTHING) continue;
      const d = total + besides;
      if (d < best) { best = d; choice = source; }
    }
    store<i32>(s.choice + (<usize>n << 2), choice);
  }
}
/** The patch around `target` as five rows of two vectors each, then masks of what is known of it. Gives how many pixels that are. */
function gather(s: Scale, target: i32, patch: usize): i32 {
  const w = s.width, x0 = target % w - R, y0 = target / w - R;
  memory.fill(patch, 0, 512);
  let count = 0;
  for (let v = 0; v < 5; v++) for (let u = 0; u < 5; u++) {
    const x = x0 + u, y = y0 + v;
    if (x < 0 || y < 0 || x >= w || y >= s.height || load<u8>(s.unknown + <usize>(y * w + x))) continue;
    count++;
    for (let c = 0; c < CHANNELS; c++) {
      const at = u * CHANNELS + c, slot = <usize>(v * 32 + (at < 16 ? at : at - 9 + 16));
      store<u8>(patch + slot, load<u8>(pixelAt(s, y * w + x) + <usize>c));
      store<u8>(patch + 160 + slot, 255);
    }
  }
  return count;
}
@inline function maskedRow(patch: usize, b: usize): v128 {
  return i32x4.add(
    squares(v128.load(patch), v128.and(v128.load(b), v128.load(patch + 160))),
    squares(v128.load(patch + 16), v128.and(v128.load(b + 9), v128.load(patch + 176))),
  );
}
function masked(s: Scale, patch: usize, source: i32, limit: i32): i32 {
  if (limit <= 0) return NOTHING;
  const stride = <usize>(s.width * CHANNELS), b = pixelAt(s, source) - <usize>((R * s.width + R) * CHANNELS);
  let sums = i32x4.add(i32x4.add(maskedRow(patch, b), maskedRow(patch + 32, b + stride)), maskedRow(patch + 64, b + 2 * stride));
  if (sumOf(sums) >= limit) return NOTHING;
  sums = i32x4.add(sums, i32x4.add(maskedRow(patch + 96, b + 3 * stride), maskedRow(patch + 128, b + 4 * stride)));
  const total = sumOf(sums);
  return total >= limit ? NOTHING : total;
}

/** The field of the coarser scale doubled; a patch of the window, drawn by chance, where there is none. A piece is a band. */
export function inherit(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width;
  for (let v = piece * BAND, end = min(s.boxHeight, v + BAND); v < end; v++) for (let u = 0; u < s.boxWidth; u++) {
    const k = v * s.boxWidth + u, x = s.boxX + u, y = s.boxY + v, t = y * w + x;
    store<i32>(s.distance + (<usize>k << 2), 0);
    if (!(stateOf(s, t) & TARGET)) { store<i32>(s.field + (<usize>k << 2), -1); continue; }
    const handed = s.coarser ? doubled(s, x, y) : -1;
    store<i32>(s.field + (<usize>k << 2), handed >= 0 && (stateOf(s, handed) & SOURCE) ? handed : anySource(s, t));
  }
}
function doubled(s: Scale, x: i32, y: i32): i32 {
  const c = scaleAt(s.coarser);
  const cx = min(max(x >> 1, max(R, c.boxX)), min(c.width - 1 - R, c.boxX + c.boxWidth - 1));
  const cy = min(max(y >> 1, max(R, c.boxY)), min(c.height - 1 - R, c.boxY + c.boxHeight - 1));
  const source = fieldOf(c, (cy - c.boxY) * c.boxWidth + cx - c.boxX);
  if (source < 0) return -1;
  const sx = (source % c.width) * 2 + x - 2 * (x >> 1), sy = (source / c.width) * 2 + y - 2 * (y >> 1);
  return sx >= R && sx < s.width - R && sy >= R && sy < s.height - R ? sy * s.width + sx : -1;
}
function anySource(s: Scale, t: i32): i32 {
  const n = <u32>(s.width * s.height);
  for (let draw: u32 = 0; draw < 16; draw++) {
    const at = <i32>(mix(s.seed ^ mix(<u32>t * 31 + draw)) % n);
    if (stateOf(s, at) & SOURCE) return at;
  }
  const from = <i32>(mix(s.seed + <u32>t) % n);
  for (let j = 0; j < <i32>n; j++) {
    const at = <i32>((<u32>from + <u32>j) % n);
    if (stateOf(s, at) & SOURCE) return at;
  }
  return -1;
}

// ---------------------------------------------------------------------------------------------------- a round

/** Distances of the field as it stands. A piece is a band. */
export function refresh(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer);
  for (let v = piece * BAND, end = min(s.boxHeight, v + BAND); v < end; v++) for (let u = 0; u < s.boxWidth; u++) {
    const k = v * s.boxWidth + u, source = fieldOf(s, k);
    const d = source < 0 ? NOTHING : patchDistance(s, k, (s.boxY + v) * s.width + s.boxX + u, source, NOTHING);
    store<i32>(s.distance + (<usize>k << 2), d);
  }
  keep(pointer, piece);
}

/** The rows of a band that others read, as they are before a pass. */
export function keep(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), first = piece * BAND, last = min(s.boxHeight, first + BAND) - 1, bytes = <usize>s.boxWidth << 2;
  memory.copy(s.before + <usize>(2 * piece) * bytes, s.field + <usize>first * bytes, bytes);
  memory.copy(s.before + <usize>(2 * piece + 1) * bytes, s.field + <usize>last * bytes, bytes);
}

@inline function consider(s: Scale, k: i32, t: i32, source: i32): void {
  if (!(stateOf(s, source) & SOURCE) || source == fieldOf(s, k)) return;
  const best = load<i32>(s.distance + (<usize>k << 2)), d = patchDistance(s, k, t, source, best);
  if (d >= best) return;
  store<i32>(s.distance + (<usize>k << 2), d);
  store<i32>(s.field + (<usize>k << 2), source);
}

/** One pass of PatchMatch (Barnes et al. 2009): neighbours' offsets, then draws in halving radius. A piece is a band. */
export function search(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), rows = min(BAND, s.boxHeight - piece * BAND), o = s.pass & 1 ? -1 : 1;
  for (let j = 0; j < rows; j++) for (let i = 0; i < s.boxWidth; i++) {
    const v = piece * BAND + (o > 0 ? j : rows - 1 - j), u = o > 0 ? i : s.boxWidth - 1 - i, k = v * s.boxWidth + u;
    if (fieldOf(s, k) < 0) continue;
    const t = (s.boxY + v) * s.width + s.boxX + u;
    if (u - o >= 0 && u - o < s.boxWidth) follow(s, k, t, fieldOf(s, k - o), o, 0);
    if (v - o >= 0 && v - o < s.boxHeight) {
      const inside = j > 0;
      const row = <usize>(2 * (piece - o) + (o > 0 ? 1 : 0)) * <usize>s.boxWidth;
      follow(s, k, t, inside ? fieldOf(s, k - o * s.boxWidth) : load<i32>(s.before + ((row + <usize>u) << 2)), 0, o);
    }
    draws(s, k, t);
  }
}
@inline function follow(s: Scale, k: i32, t: i32, neighbour: i32, dx: i32, dy: i32): void {
  if (neighbour < 0) return;
  const x = neighbour % s.width + dx, y = neighbour / s.width + dy;
  if (x >= R && x < s.width - R && y >= R && y < s.height - R) consider(s, k, t, y * s.width + x);
}
@inline function draws(s: Scale, k: i32, t: i32): void {
  let draw: u32 = 0;
  for (let reach = s.reach > 0 ? s.reach : max(s.width, s.height); reach >= 1; reach >>= 1, draw++) {
    const a = mix(s.seed ^ mix(<u32>t * 2654435761 + <u32>s.pass * 97 + draw));
    const here = fieldOf(s, k), cx = here % s.width, cy = here / s.width;
    const x0 = max(R, cx - reach), x1 = min(s.width - 1 - R, cx + reach), y0 = max(R, cy - reach), y1 = min(s.height - 1 - R, cy + reach);
    const x = x0 + <i32>(((a & 0xffff) * <u32>(x1 - x0 + 1)) >> 16), y = y0 + <i32>(((a >> 16) * <u32>(y1 - y0 + 1)) >> 16);
    consider(s, k, t, y * s.width + x);
  }
}

/** σ² = the third quartile of all distances, exactly: counted by their upper bits, then by the lower ones. One piece. */
export function spread(pointer: usize, _piece: i32): void {
  const s = scaleAt(pointer), n = s.boxWidth * s.boxHeight, counts = s.histogram;
  memory.fill(counts, 0, 1 << 18);
  let total = 0;
  for (let k = 0; k < n; k++) {
    const d = load<i32>(s.distance + (<usize>k << 2));
    if (d == NOTHING || fieldOf(s, k) < 0) continue;
    total++;
    const at = counts + (<usize>(d >> 15) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  let rank = <i32>((<i64>total * 3) / 4), upper = 0;
  for (; upper < 65535 && rank >= load<i32>(counts + (<usize>upper << 2)); upper++) rank -= load<i32>(counts + (<usize>upper << 2));
  memory.fill(counts, 0, 1 << 18);
  for (let k = 0; k < n; k++) {
    const d = load<i32>(s.distance + (<usize>k << 2));
    if (fieldOf(s, k) < 0 || d >> 15 != upper) continue;
    const at = counts + (<usize>(d & 0x7fff) << 2);
    store<i32>(at, load<i32>(at) + 1);
  }
  let lower = 0;
  for (; lower < 0x7fff && rank >= load<i32>(counts + (<usize>lower << 2)); lower++) rank -= load<i32>(counts + (<usize>lower << 2));
  s.sharpness = 1 / (2 * max<f32>(<f32>((upper << 15) | lower), 2));
}

/** What each patch says counts by how well it fits and how near to the border it lies. A piece is a band. */
export function weigh(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer);
  for (let k = piece * BAND * s.boxWidth, end = min(s.boxHeight, piece * BAND + BAND) * s.boxWidth; k < end; k++) {
    const at = <usize>k << 2, d = load<i32>(s.distance + at);
    const confidence = load<f32>(s.confidence + (<usize>load<u8>(s.depth + <usize>k) << 2));
    store<f32>(s.weight + at, fieldOf(s, k) < 0 || d == NOTHING ? 0 : confidence * (1e-12 + Mathf.exp(-<f32>d * s.sharpness)));
  }
}

/** Every hole pixel becomes the weighted mean of what the patches over it would put there. A piece is a band. */
export function vote(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width;
  for (let v = piece * BAND, end = min(s.boxHeight, v + BAND); v < end; v++) for (let u = 0; u < s.boxWidth; u++) {
    const i = (s.boxY + v) * w + s.boxX + u;
    if (!(stateOf(s, i) & HOLE)) continue;
    let colours = f32x4.splat(0), rest = f32x4.splat(0), total: f32 = 0;
    for (let dv = max(-R, -v); dv <= min(R, s.boxHeight - 1 - v); dv++) for (let du = max(-R, -u); du <= min(R, s.boxWidth - 1 - u); du++) {
      const k = (v + dv) * s.boxWidth + u + du, weight = load<f32>(s.weight + (<usize>k << 2));
      if (weight <= 0) continue;
      const values = i16x8.extend_low_i8x16_u(v128.load64_zero(pixelAt(s, fieldOf(s, k) - dv * w - du))), by = f32x4.splat(weight);
      colours = f32x4.add(colours, f32x4.mul(by, f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(values))));
      rest = f32x4.add(rest, f32x4.mul(by, f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(values))));
      total += weight;
    }
    if (total <= 0) continue;
    const p = pixelAt(s, i), by = f32x4.splat(1 / total), half = f32x4.splat(0.5);
    const bytes = i32x4.trunc_sat_f32x4_u(f32x4.add(f32x4.mul(colours, by), half));
    store<u8>(p, <u8>i32x4.extract_lane(bytes, 0)); store<u8>(p + 1, <u8>i32x4.extract_lane(bytes, 1));
    store<u8>(p + 2, <u8>i32x4.extract_lane(bytes, 2)); store<u8>(p + 3, <u8>i32x4.extract_lane(bytes, 3));
    store<u8>(p + 4, <u8>(f32x4.extract_lane(rest, 0) / total + 0.5));
  }
}

/** Every hole pixel is copied from the best patch over it, the patch's centre preferred. A piece is a band. */
export function copy(pointer: usize, piece: i32): void {
  const s = scaleAt(pointer), w = s.width;
  for (let v = piece * BAND, end = min(s.boxHeight, v + BAND); v < end; v++) for (let u = 0; u < s.boxWidth; u++) {
    const i = (s.boxY + v) * w + s.boxX + u, at = s.origin + (<usize>(v * s.boxWidth + u) << 2);
    store<i32>(at, -1);
    if (!(stateOf(s, i) & HOLE)) continue;
    let best = f32.MAX_VALUE;
    for (let dv = max(-R, -v); dv <= min(R, s.boxHeight - 1 - v); dv++) for (let du = max(-R, -u); du <= min(R, s.boxWidth - 1 - u); du++) {
      const k = (v + dv) * s.boxWidth + u + du, source = fieldOf(s, k);
      if (source < 0) continue;
      const away: i32 = 2 + du * du + dv * dv;
      const cost = (<f32>load<i32>(s.distance + (<usize>k << 2)) + 1) * <f32>away;
      if (cost >= best) continue;
      best = cost;
      store<i32>(at, source - dv * w - du);
    }
    const from = load<i32>(at);
    if (from >= 0) memory.copy(pixelAt(s, i), pixelAt(s, from), CHANNELS);
  }
}

// ---------------------------------------------------------------------------------------------------- the melt

/** A strip of the box: what is to be added to the copied pixels so that they meet the known ones and each other. */
@unmanaged
class Strip {
  width: i32; height: i32;
  /** 4 floats per pixel, a ring of zeros around them included. */
  values: usize; wanted: usize;
  /** Which neighbours count: 1 right, 2 left, 4 below, 8 above; 16 = is to be found. */
  links: usize;
  screen: f32; sweeps: i32;
}
/** How far a sweep overshoots: where the screen lets a step reach 18 pixels, this settles fastest. */
const EAGERNESS: f32 = 1.9;

/** Screened Poisson by successive over-relaxation, on the fields of a chessboard in turn. A piece is a strip. */
export function melt(pointer: usize, piece: i32): void {
  const s = changetype<Strip>(load<usize>(pointer + (<usize>piece << 2))), w = s.width;
  if (!s.sweeps) return;
  const eager = f32x4.splat(EAGERNESS), inner = f32x4.splat(1 / (s.screen + 4)), line = <usize>w << 4;
  for (let sweep = 0; sweep < 2 * s.sweeps; sweep++) for (let y = 1; y < s.height - 1; y++) for (let x = 1 + ((y + sweep) & 1); x < w - 1; x += 2) {
    const i = y * w + x, links = <i32>load<u8>(s.links + <usize>i);
    if (!(links & 16)) continue;
    const at = s.values + (<usize>i << 4), wanted = v128.load(s.wanted + (<usize>i << 4));
    if ((links & 15) == 15) {
      const sum = f32x4.add(f32x4.add(v128.load(at + 16), v128.load(at - 16)), f32x4.add(v128.load(at + line), v128.load(at - line)));
      relax(at, f32x4.mul(f32x4.add(wanted, sum), inner), eager);
    } else {
      let sum = wanted;
      if (links & 1) sum = f32x4.add(sum, v128.load(at + 16));
      if (links & 2) sum = f32x4.add(sum, v128.load(at - 16));
      if (links & 4) sum = f32x4.add(sum, v128.load(at + line));
      if (links & 8) sum = f32x4.add(sum, v128.load(at - line));
      relax(at, f32x4.mul(sum, f32x4.splat(1 / (s.screen + <f32>popcnt(links & 15)))), eager);
    }
  }
}
@inline function relax(at: usize, to: v128, eager: v128): void {
  const value = v128.load(at);
  v128.store(at, f32x4.add(value, f32x4.mul(eager, f32x4.sub(to, value))));
}
