import type { Cancellation } from '#base/cancellation.js';
import { alongLines } from './along.js';
import type { Line } from './lines.js';
import { CHANNELS, HOLE, SOURCE, type Scale } from './scale.js';
import { inBands } from './field.js';
import { countSources } from './window.js';

/** Comparisons of the coarsest scale; with more, only every so-manieth source is tried. */
const MOST_COMPARISONS = 2e7;
export const MOST_SOURCES = 2 ** 18;
const PIECE = 8;
const SCRATCH_BYTES = 512;
/** Layers are peeled in parts, so that scratch memory does not grow with them. */
const PART = 4096;

interface Straight {
  readonly lines: readonly Line[];
  /** Finest pixels to a pixel of the scale. */
  readonly shrink: number;
}

/**
 * First picture and field of the coarsest scale: straight edges go on through the hole, and around them it is peeled from
 * outside in (Newson et al. 2014), every layer from the best of all known patches. False where there is none.
 */
export async function peelHole(scale: Scale, { lines, shrink }: Straight, signal: Cancellation): Promise<boolean> {
  const { state } = scale;
  const hole = holeOf(scale);
  const sources = thinnedSources(scale, hole.length);
  if (sources.length === 0) return false;
  const unknown = scale.takeBytes('unknown', state.length);
  for (let i = 0; i < state.length; i++) unknown[i] = state[i]! & HOLE;
  scale.takeInts('sources', sources.length).set(sources);
  scale.takeInts('layer', PART);
  const choice = scale.takeInts('choice', PART);
  scale.takeBytes('scratch', (PART / PIECE) * SCRATCH_BYTES);
  scale.set({ sourceCount: sources.length });
  await inBands(scale, 'inherit', signal);
  for (const { pixel, source } of alongLines(scale, lines, shrink)) {
    if (!unknown[pixel]) continue;
    take(scale, pixel, source);
    unknown[pixel] = 0;
  }
  for (let rest = hole.filter((i) => unknown[i] === 1); rest.length > 0; rest = rest.filter((i) => unknown[i] === 1)) {
    const layer = rest.filter((i) => touchesKnown(unknown, i, scale));
    if (layer.length === 0) break;
    const chosen: number[] = [];
    for (let from = 0; from < layer.length; from += PART) {
      await peelPart(scale, layer.slice(from, from + PART), signal);
      chosen.push(...choice.subarray(0, Math.min(PART, layer.length - from)));
    }
    layer.forEach((i, n) => {
      take(scale, i, chosen[n]!);
      unknown[i] = 0;
    });
  }
  return true;
}

async function peelPart(scale: Scale, part: readonly number[], signal: Cancellation): Promise<void> {
  const { pool, pointer } = scale;
  new Int32Array(pool.memory, scale.get('layer'), part.length).set(part);
  scale.set({ layerLength: part.length });
  await pool.run({ name: 'peel', pointer, pieces: Math.ceil(part.length / PIECE) }, signal);
}

function take(scale: Scale, i: number, source: number): void {
  scale.planes.copyWithin(i * CHANNELS, source * CHANNELS, (source + 1) * CHANNELS);
  scale.setSource(i, source);
}

/** In the box: other holes of the window are not this one's to fill. */
function holeOf({ state, box, extent }: Scale): number[] {
  const found: number[] = [];
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) if (state[y * extent.width + x]! & HOLE) found.push(y * extent.width + x);
  }
  return found;
}

/** All sources in order, or every so-manieth. */
function thinnedSources(scale: Scale, targets: number): Int32Array {
  const count = countSources(scale);
  const most = Math.max(1, Math.min(MOST_SOURCES, Math.floor(MOST_COMPARISONS / Math.max(1, targets))));
  const step = Math.max(1, Math.ceil(count / most));
  const sources = new Int32Array(Math.ceil(count / step));
  const { state } = scale;
  for (let i = 0, seen = 0; i < state.length; i++) if (state[i]! & SOURCE && seen++ % step === 0) sources[(seen - 1) / step] = i;
  return sources;
}

function touchesKnown(unknown: Uint8Array, i: number, { extent: { width, height } }: Scale): boolean {
  const [x, y] = [i % width, Math.trunc(i / width)];
  const known = (inside: boolean, at: number) => inside && unknown[at] === 0;
  return known(x > 0, i - 1) || known(x < width - 1, i + 1) || known(y > 0, i - width) || known(y < height - 1, i + width);
}
