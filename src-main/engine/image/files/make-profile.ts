// A small ICC.1:2010 display profile for colours that a file names in another way: by primaries, white and tone curve.

/** CIE x and y. */
export type Chromaticity = readonly [x: number, y: number];

export interface Primaries {
  readonly red: Chromaticity;
  readonly green: Chromaticity;
  readonly blue: Chromaticity;
  readonly white: Chromaticity;
}

/** Parameters of an ICC parametric curve of type 0 (g) or 3 (g, a, b, c, d), or a function to be tabled. */
export type Tone = readonly number[] | ((value: number) => number);

export interface ColourNaming {
  readonly name: string;
  readonly primaries: Primaries;
  readonly tone: Tone;
}

const D50 = [0.9642, 1, 0.8249];
const BRADFORD = [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296];
const TABLE = 4096;
const HEADER_BYTES = 128;

/** The profile of one gray or three colour channels that means the same. */
export function makeProfile({ name, primaries, tone }: ColourNaming, model: 'GRAY' | 'RGB '): Uint8Array {
  const curve = curveTag(tone);
  const text = textTag(name);
  const tags: [string, Buffer][] = [
    ['desc', text],
    ['cprt', textTag('Public domain')],
    ['wtpt', xyzTag(D50)],
  ];
  if (model === 'GRAY') tags.push(['kTRC', curve]);
  else {
    const matrix = toD50(primaries);
    ['rXYZ', 'gXYZ', 'bXYZ'].forEach((tag, c) => tags.push([tag, xyzTag([matrix[c]!, matrix[c + 3]!, matrix[c + 6]!])]));
    for (const tag of ['rTRC', 'gTRC', 'bTRC']) tags.push([tag, curve]);
  }
  return assemble(tags, model);
}

function assemble(tags: readonly (readonly [string, Buffer])[], model: string): Uint8Array {
  const table = Buffer.alloc(4 + tags.length * 12);
  table.writeUInt32BE(tags.length);
  const placed = new Map<Buffer, number>();
  const blocks: Buffer[] = [];
  let end = HEADER_BYTES + table.length;
  tags.forEach(([name, data], i) => {
    if (!placed.has(data)) {
      placed.set(data, end);
      blocks.push(data);
      end += data.length;
    }
    table.write(name, 4 + i * 12, 'latin1');
    table.writeUInt32BE(placed.get(data) ?? 0, 8 + i * 12);
    table.writeUInt32BE(data.length, 12 + i * 12);
  });
  return new Uint8Array(Buffer.concat([headerOf(end, model), table, ...blocks]));
}

function headerOf(bytes: number, model: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(bytes, 0);
  header.writeUInt32BE(0x0430_0000, 8);
  header.write(`mntr${model}XYZ `, 12, 'latin1');
  // The standard itself appeared then: a date of today would give other bytes tomorrow.
  [2010, 1, 1, 0, 0, 0].forEach((part, i) => header.writeUInt16BE(part, 24 + i * 2));
  header.write('acsp', 36, 'latin1');
  D50.forEach((value, i) => header.writeInt32BE(Math.round(value * 65536), 68 + i * 4));
  return header;
}

function xyzTag(values: readonly number[]): Buffer {
  const tag = Buffer.alloc(20);
  tag.write('XYZ ', 'latin1');
  values.forEach((value, i) => tag.writeInt32BE(Math.round(value * 65536), 8 + i * 4));
  return tag;
}

/** English, UTF-16, padded to four bytes. */
function textTag(text: string): Buffer {
  const tag = Buffer.alloc(28 + Math.ceil((text.length * 2) / 4) * 4);
  tag.write('mluc', 'latin1');
  [1, 12].forEach((value, i) => tag.writeUInt32BE(value, 8 + i * 4));
  tag.write('enUS', 16, 'latin1');
  [text.length * 2, 28].forEach((value, i) => tag.writeUInt32BE(value, 20 + i * 4));
  tag.write(text, 28, 'utf16le');
  tag.subarray(28, 28 + text.length * 2).swap16();
  return tag;
}

function curveTag(tone: Tone): Buffer {
  if (typeof tone === 'function') {
    const tag = Buffer.alloc(12 + TABLE * 2);
    tag.write('curv', 'latin1');
    tag.writeUInt32BE(TABLE, 8);
    for (let i = 0; i < TABLE; i++) tag.writeUInt16BE(Math.round(65535 * Math.min(1, Math.max(0, tone(i / (TABLE - 1))))), 12 + i * 2);
    return tag;
  }
  const tag = Buffer.alloc(12 + tone.length * 4);
  tag.write('para', 'latin1');
  tag.writeUInt16BE(tone.length === 1 ? 0 : 3, 8);
  tone.forEach((value, i) => tag.writeInt32BE(Math.round(value * 65536), 12 + i * 4));
  return tag;
}

/** Linear device RGB to XYZ, adapted from the named white to D50 (Bradford); row-major. */
function toD50({ red, green, blue, white }: Primaries): readonly number[] {
  const columns = [red, green, blue].map(xyzOf);
  const corners = [0, 1, 2].flatMap((row) => columns.map((column) => column[row]!));
  const scale = times(inverse(corners), xyzOf(white));
  const device = corners.map((value, i) => value * scale[i % 3]!);
  const [from, to] = [times(BRADFORD, xyzOf(white)), times(BRADFORD, D50)];
  const adapted = BRADFORD.map((value, i) => (value * to[Math.trunc(i / 3)]!) / from[Math.trunc(i / 3)]!);
  return product(product(inverse(BRADFORD), adapted), device);
}

function xyzOf([x, y]: Chromaticity): readonly number[] {
  return [x / y, 1, (1 - x - y) / y];
}

function times(matrix: readonly number[], vector: readonly number[]): readonly number[] {
  return [0, 3, 6].map((row) => matrix[row]! * vector[0]! + matrix[row + 1]! * vector[1]! + matrix[row + 2]! * vector[2]!);
}

export function product(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((_, i) => {
    const row = i - (i % 3);
    const column = i % 3;
    return a[row]! * b[column]! + a[row + 1]! * b[column + 3]! + a[row + 2]! * b[column + 6]!;
  });
}

/** Of a 3×3 matrix, by cofactors. */
export function inverse(matrix: readonly number[]): readonly number[] {
  const [a, b, c, d, e, f, g, h, i] = matrix as [number, number, number, number, number, number, number, number, number];
  const cofactors = [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ];
  const determinant = a * cofactors[0]! + b * cofactors[3]! + c * cofactors[6]!;
  return cofactors.map((value) => value / determinant);
}
