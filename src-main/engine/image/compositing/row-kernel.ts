import { wasm } from 'virtual:kernels/composite';
import { MOST_PAGES, PAGE_BYTES, WebAssembly, type WasmInstance, type WasmMemory } from '#engine/kernels/web-assembly.js';
import type { FrameSampler, Taps } from '#engine/image/sampling/resample.js';
import { coverRow, editRow, makeRows, readRow, weightsOf, type RowEdit, type RowsJob } from './composite-rows.js';
import type { ColourMap } from './colour-map.js';
import { byteStep, GRID, type ColourTable } from './own-colours.js';
import type { ObjectMap } from './objects/object-map.js';

// src-kernels/composite.ts says what each field of a row means.

const FIELDS = ['width', 'channels', 'edit', 'weighted', 'source', 'target', 'changed', 'weights', 'masks', 'planes', 'edited', 'stride']
  .concat(['maps', 'curves', 'knots', 'gray', 'runs', 'runCount', 'table', 'near', 'cubic', 'across', 'decoded']) // prettier-ignore
  .map((name, i) => [name, i] as const);
const FIELD = Object.fromEntries(FIELDS);
const EDIT = { given: 0, tones: 1, object: 2, transfer: 3, tabled: 4 };
const WEIGHTED = { everywhere: 0, bytes: 1, shares: 2 };

/** Nine of the matrix, three offsets, the share of decoded pixels; of the left and of the right neighbour. */
const COEFFICIENTS = 13;
/** Four decoded neighbours of three colours. */
const NEIGHBOURS = 12;
/** Linear and cubic taps of a map that is enlarged; those of one that shrinks are wider. */
const [LINEAR_TAPS, CUBIC_TAPS] = [3, 5];
/** Between values of f32 just below 256. */
const SPACING = 2 ** -16;
/** Vectors reach this far beyond the end of a row, at most. */
const OVERRUN = 64;
const FIRST_FREE = PAGE_BYTES;
/** Sixteen a colour of the grid; its last one is asked for neighbours, which then count nothing. */
const TABLE_BYTES = 16 * (GRID ** 3 + GRID ** 2 + GRID + 1);

let compiled: object | undefined;

/** The row loop in WebAssembly: `compositePlainly`, many times as fast. Gives how many pixels differ. */
export function compositeRows(job: RowsJob): number {
  const kernel = new RowKernel(job);
  let changed = 0;
  for (let y = 0; y < job.region.height; y++) changed += kernel.composite(y);
  return changed;
}

class RowKernel {
  readonly #job: RowsJob;
  readonly #deep: boolean;
  readonly #memory: WasmMemory;
  readonly #run: (pointer: number) => number;
  #next = FIRST_FREE;
  readonly #row: Int32Array;
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #changed: Uint8Array;
  readonly #weights: Uint8Array;
  readonly #edit: (y: number) => void;

  constructor(job: RowsJob) {
    this.#job = job;
    const { photo, samples, region } = job;
    this.#deep = samples.BYTES_PER_ELEMENT === 2;
    const rowBytes = region.width * photo.channels * samples.BYTES_PER_ELEMENT;
    const runs = transferRuns(job);
    const tableBytes = job.edit.kind === 'tabled' ? TABLE_BYTES : 0;
    // Six planes, six of taps, weights and a little; samples and tables.
    const bytes = (region.width + OVERRUN) * 96 + 2 * (rowBytes + OVERRUN) + runs.length * 512 + tableBytes + PAGE_BYTES;
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil((FIRST_FREE + bytes) / PAGE_BYTES), maximum: MOST_PAGES, shared: true });
    compiled ??= new WebAssembly.Module(wasm);
    const instance: WasmInstance = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } });
    this.#run = instance.exports[this.#deep ? 'compositeWords' : 'compositeBytes']!;
    this.#row = new Int32Array(this.#memory.buffer, this.#take(FIELDS.length * 4), FIELDS.length);
    this.#source = this.#bytes('source', rowBytes);
    this.#target = samples === photo.samples && !job.opaque ? this.#same('target', this.#source) : this.#bytes('target', rowBytes);
    this.#changed = this.#bytes('changed', region.width);
    this.#weights = this.#bytes('weights', region.width * 8);
    this.#set({ width: region.width, channels: photo.channels });
    const masks = this.#bytes('masks', MASKS * 16 + NUMBERS.byteLength);
    masks.set(masksOf(photo.channels, this.#deep));
    masks.set(new Uint8Array(NUMBERS.buffer), MASKS * 16);
    const stride = (region.width + OVERRUN) * (this.#deep ? 8 : 4);
    this.#bytes('planes', 3 * stride);
    this.#bytes('edited', 3 * stride);
    this.#set({ stride });
    this.#edit = this.#editor(job.edit, runs);
  }

  /** Row `y` of the region. Gives how many pixels differ. */
  composite(y: number): number {
    const { photo, samples, region, changed, opaque } = this.#job;
    const row = (region.y + y) * photo.extent.width + region.x;
    const weights = weightsOf(this.#job, row);
    if (weights && !isPainted(weights)) return 0;
    this.#edit(y);
    this.#source.set(bytesAt(photo.samples, row * photo.channels, region.width * photo.channels));
    const shares = opaque && photo.channels % 2 === 0 ? coverRow(this.#job, row, weights) : undefined;
    if (shares) this.#weights.set(new Uint8Array(shares.buffer));
    else if (weights) this.#weights.set(weights);
    this.#set({ weighted: shares ? WEIGHTED.shares : weights ? WEIGHTED.bytes : WEIGHTED.everywhere });
    const target = bytesAt(samples, row * photo.channels, region.width * photo.channels);
    if (this.#target !== this.#source) this.#target.set(target);
    const count = this.#run(this.#row.byteOffset);
    target.set(this.#target);
    changed.set(this.#changed, row);
    return count;
  }

  #editor(edit: RowEdit, runs: readonly Run[]): (y: number) => void {
    if (edit.kind === 'tabled') return this.#tabled(edit.table);
    if (edit.kind === 'mapped') return 'tones' in edit.map ? this.#tones(edit.map) : this.#object(edit.map);
    return edit.kind === 'transfer' && runs.length > 0 ? this.#transfer(edit, runs) : this.#given();
  }

  /** Edited by the plain loop's own means. */
  #given(): (y: number) => void {
    const { region, photo } = this.#job;
    this.#set({ edit: EDIT.given });
    const rows = makeRows(region.width, photo.channels);
    const stride = this.#row[FIELD['stride']!]!;
    const planes = rows.edited.map((_, c) => this.#values(this.#row[FIELD['edited']!]! + c * stride, region.width));
    const unit = this.#unit;
    return (y) => {
      readRow(this.#job, (region.y + y) * photo.extent.width + region.x, rows.own);
      editRow(this.#job, y, rows);
      rows.edited.forEach((plane, c) => {
        const target = planes[c]!;
        for (let x = 0; x < plane.length; x++) {
          const value = plane[x]! * unit;
          target[x] = value;
          // An f32 that was brought up to a half would be rounded up.
          if (target[x]! > value && target[x]! % 1 === 0.5) target[x] = target[x]! - SPACING;
        }
      });
    };
  }

  #tones({ tones }: ColourMap): (y: number) => void {
    const knots = tones[0].curve?.length ?? 0;
    const unit = this.#unit;
    const isBent = knots > 0;
    // Along a curve lies 0..1, stretched by the kernel itself; along a line the value itself.
    this.#floats('maps', 12).set(tones.flatMap(({ weights, offset }) => [...weights, offset * unit]));
    const curves = this.#floats('curves', 3 * knots + 2);
    if (isBent) curves.set(tones.flatMap(({ curve }) => Array.from(curve!, (value) => value * unit)));
    const [red, green, blue] = tones;
    this.#set({ edit: EDIT.tones, knots, gray: red === green && green === blue ? 1 : 0 });
    return () => undefined;
  }

  #tabled(colours: ColourTable): (y: number) => void {
    const pointer = this.#place('table', TABLE_BYTES);
    if (this.#deep) new Float32Array(this.#memory.buffer, pointer, colours.length).set(colours);
    else pairAlongBlue(colours, new Int16Array(this.#memory.buffer, pointer, TABLE_BYTES / 2));
    this.#set({ edit: EDIT.tabled });
    return () => undefined;
  }

  #object({ first, second }: ObjectMap): (y: number) => void {
    const unit = this.#unit;
    const rows = (affine: readonly number[]) => [0, 1, 2].flatMap((c) => [...affine.slice(c * 3, c * 3 + 3), affine[9 + c]! * unit]);
    const way = second ? second.along.map((value, i) => (i < 3 ? value / unit : value)) : [0, 0, 0, 0];
    this.#floats('maps', 28).set([...rows(first), ...rows(second?.affine ?? first), ...way]);
    this.#set({ edit: EDIT.object });
    return () => undefined;
  }

  #transfer(edit: Extract<RowEdit, { kind: 'transfer' }>, runs: readonly Run[]): (y: number) => void {
    const { width } = this.#job.region;
    const across = (width + OVERRUN) * 4;
    this.#set({ edit: EDIT.transfer, runCount: runs.length, across });
    this.#ints('runs', runs.length * 2).set(runs.flatMap(({ end }, i) => [end, i * 4]));
    const near = new Float32Array(this.#memory.buffer, this.#place('near', 2 * across), (2 * across) / 4);
    const cubic = new Float32Array(this.#memory.buffer, this.#place('cubic', 4 * across), across);
    spreadWeights(edit.matrix.columns, near, 2);
    spreadWeights(edit.decoded.columns, cubic, 4);
    const table = this.#floats('table', runs.length * 2 * COEFFICIENTS);
    const decoded = this.#floats('decoded', runs.length * NEIGHBOURS);
    const unit = this.#unit;
    const channels = coefficientsOf(edit, unit);
    return (y) => {
      channels.forEach(({ sampler, channel, scale }, k) => {
        const row = sampler.mixed(channel, y);
        runs.forEach(({ left, right }, i) => {
          table[i * 2 * COEFFICIENTS + k] = row[left]! * scale;
          table[(i * 2 + 1) * COEFFICIENTS + k] = row[right]! * scale;
        });
      });
      for (let c = 0; c < 3; c++) {
        const row = edit.decoded.mixed(c, y);
        runs.forEach(({ around }, i) => {
          for (let k = 0; k < 4; k++) decoded[i * NEIGHBOURS + k * 3 + c] = row[around[k]!]! * unit;
        });
      }
    };
  }

  /** Planes of words lie in 0..1, those of bytes in 0..255. */
  get #unit(): number {
    return this.#deep ? 1 : 255;
  }

  #take(bytes: number): number {
    const pointer = this.#next;
    this.#next += Math.ceil((bytes + OVERRUN) / 16) * 16;
    if (this.#next > this.#memory.buffer.byteLength) throw new Error('Expected a row to need less memory than it was given.');
    return pointer;
  }

  #set(fields: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(fields)) this.#row[FIELD[name]!] = value;
  }

  #place(field: string, bytes: number): number {
    const pointer = this.#take(bytes);
    this.#set({ [field]: pointer });
    return pointer;
  }

  #bytes(field: string, bytes: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.#place(field, bytes), bytes);
  }

  #same(field: string, other: Uint8Array): Uint8Array {
    this.#set({ [field]: other.byteOffset });
    return other;
  }

  #ints(field: string, count: number): Int32Array {
    return new Int32Array(this.#memory.buffer, this.#place(field, count * 4), count);
  }

  /** Of the kernel's own kind. */
  #floats(field: string, count: number): Float32Array | Float64Array {
    return this.#values(this.#place(field, count * 8), count);
  }

  #values(pointer: number, count: number): Float32Array | Float64Array {
    return this.#deep ? new Float64Array(this.#memory.buffer, pointer, count) : new Float32Array(this.#memory.buffer, pointer, count);
  }
}

/** Of bytes: for each colour of the grid what it and the next one along blue say of red, of green, of blue. */
function pairAlongBlue(colours: ColourTable, pairs: Int16Array): void {
  for (let i = 0; i < colours.length; i++) {
    if (i % 4 === 3) continue;
    const own = 2 * i; // a colour of the grid has eight places
    pairs[own] = byteStep(colours[i]!);
    if (own >= 8) pairs[own - 7] = pairs[own]!;
  }
}

function isPainted(weights: Uint8Array): boolean {
  for (const weight of weights) if (weight > 0) return true;
  return false;
}

function bytesAt(samples: Uint8Array | Uint16Array, from: number, count: number): Uint8Array {
  const size = samples.BYTES_PER_ELEMENT;
  return new Uint8Array(samples.buffer, samples.byteOffset + from * size, count * size);
}

interface Coefficient {
  readonly sampler: FrameSampler;
  readonly channel: number;
  readonly scale: number;
}

function coefficientsOf({ matrix, offset, share }: Extract<RowEdit, { kind: 'transfer' }>, unit: number): readonly Coefficient[] {
  return [
    ...Array.from({ length: 9 }, (_, channel) => ({ sampler: matrix, channel, scale: 1 })),
    ...Array.from({ length: 3 }, (_, channel) => ({ sampler: offset, channel, scale: unit })),
    { sampler: share, channel: 0, scale: 1 },
  ];
}

/** Pixels of a row that see the same samples of the maps. */
interface Run {
  end: number;
  readonly left: number;
  readonly right: number;
  readonly around: readonly number[];
}

/** None where the maps are not enlarged: then there is no run to speak of. */
function transferRuns({ edit, region }: RowsJob): readonly Run[] {
  if (edit.kind !== 'transfer') return [];
  const [linear, cubic] = [edit.matrix.columns, edit.decoded.columns];
  if (linear.width !== LINEAR_TAPS || cubic.width !== CUBIC_TAPS) return [];
  const runs: Run[] = [];
  for (let x = 0; x < region.width; x++) {
    const [left, right] = [linear.indices[x * LINEAR_TAPS]!, linear.indices[x * LINEAR_TAPS + 1]!];
    const around = Array.from(cubic.indices.subarray(x * CUBIC_TAPS, x * CUBIC_TAPS + 4));
    const last = runs.at(-1);
    if (last?.left === left && last.right === right && around.every((index, k) => index === last.around[k])) last.end = x + 1;
    else runs.push({ end: x + 1, left, right, around });
  }
  return runs;
}

/** The weights of the first taps as planes; those behind them are 0 where a map is enlarged. */
function spreadWeights({ width, weights }: Taps, planes: Float32Array, taps: number): void {
  const across = planes.length / taps;
  for (let x = 0; x < weights.length / width; x++) {
    for (let k = 0; k < taps; k++) planes[k * across + x] = weights[x * width + k]!;
  }
}

const MASKS = 14;
/** For rounding. */
const NUMBERS = Float32Array.of(1.5 * 2 ** 23, 0.5);
const NOTHING = 255;

/** Which byte goes where, for two pixels of words or four of bytes per vector. */
function masksOf(channels: number, deep: boolean): Uint8Array {
  const masks = new Uint8Array(MASKS * 16).fill(NOTHING);
  const [pixels, size, lane] = deep ? [2, 2, 8] : [4, 1, 4];
  const colours = channels <= 2 ? 1 : 3;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let c = 0; c < channels; c++) {
      for (let byte = 0; byte < size; byte++) {
        const at = (pixel * channels + c) * size + byte;
        masks[(ANY + c * size + byte) * 16 + pixel] = at;
        if (c >= colours) continue;
        masks[c * 16 + pixel * 4 + byte] = at;
        masks[COLOURS * 16 + at] = pixel * lane;
        if (deep && c === 2) masks[SCATTER_THIRD * 16 + at] = pixel * 2 + byte;
        else masks[SCATTER * 16 + at] = deep ? c * 8 + pixel * 2 + byte : c * 4 + pixel;
      }
    }
  }
  return masks;
}

const [SCATTER, SCATTER_THIRD, COLOURS, ANY] = [3, 4, 5, 6];
