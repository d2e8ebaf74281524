import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { insertChunks, profileChunk } from '#engine/image/files/png-chunks.js';

const SIDE = 33;
const CELLS = SIDE ** 3;

/** A colour conversion sampled on a 33³ grid: `[33·33·33, 3]` in 0..1, red slowest. */
export type ColourCube = Float32Array;

/** Profile → Display P3, by the colour engine (whose working space for 16 bit that is). */
export async function cubeToP3(icc: Uint8Array): Promise<ColourCube> {
  const png = await gridPicture().png({ compressionLevel: 0 }).toBuffer();
  const tagged = insertChunks(png, [profileChunk(icc)]);
  const picture = sharp(tagged).pipelineColourspace('rgb16').toColourspace('rgb16');
  return readCube(await picture.removeAlpha().raw({ depth: 'ushort' }).toBuffer());
}

/** Display P3 → profile. The colour engine takes its output profile only from a file, so it gets one for a moment. */
export async function cubeFromP3(icc: Uint8Array): Promise<ColourCube> {
  const folder = await mkdtemp(join(tmpdir(), 'scalebrush-'));
  try {
    const file = join(folder, 'profile.icc');
    await writeFile(file, icc);
    const picture = gridPicture().pipelineColourspace('rgb16').withIccProfile(file, { attach: false }).toColourspace('rgb16');
    return readCube(await picture.raw({ depth: 'ushort' }).toBuffer());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function gridPicture() {
  const samples = new Uint16Array(CELLS * 3);
  for (let i = 0; i < CELLS; i++) {
    const place = [Math.trunc(i / (SIDE * SIDE)), Math.trunc(i / SIDE) % SIDE, i % SIDE];
    for (let c = 0; c < 3; c++) samples[i * 3 + c] = Math.round((place[c]! * 65535) / (SIDE - 1));
  }
  return sharp(samples, { raw: { width: SIDE * SIDE, height: SIDE, channels: 3 } }).toColourspace('rgb16');
}

function readCube(bytes: Buffer): ColourCube {
  if (bytes.length !== CELLS * 6) throw new Error(`Expected ${CELLS * 6} bytes of a colour cube but received ${bytes.length}.`);
  const words = new Uint16Array(new Uint8Array(bytes).buffer);
  return Float32Array.from(words, (word) => word / 65535);
}

/** Trilinear look-up of planar colours `[3, n]`, in place; colours outside 0..1 are clamped. */
export function applyCube(cube: ColourCube, planes: readonly Float32Array[]): void {
  const [red, green, blue] = planes as [Float32Array, Float32Array, Float32Array];
  const colour = [0, 0, 0];
  for (let i = 0; i < red.length; i++) {
    interpolate(cube, [red[i]!, green[i]!, blue[i]!], colour);
    red[i] = colour[0]!;
    green[i] = colour[1]!;
    blue[i] = colour[2]!;
  }
}

function interpolate(cube: ColourCube, from: readonly number[], into: number[]): void {
  const places = from.map((value) => Math.min(1, Math.max(0, value)) * (SIDE - 1));
  const cells = places.map((place) => Math.min(SIDE - 2, Math.trunc(place)));
  into.fill(0);
  for (let corner = 0; corner < 8; corner++) {
    let weight = 1;
    let index = 0;
    for (let axis = 0; axis < 3; axis++) {
      const upper = (corner >> axis) & 1;
      const share = places[axis]! - cells[axis]!;
      weight *= upper ? share : 1 - share;
      index = index * SIDE + cells[axis]! + upper;
    }
    for (let c = 0; c < 3; c++) into[c]! += weight * cube[index * 3 + c]!;
  }
}
