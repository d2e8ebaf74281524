import type { Cancellation } from '#base/cancellation.js';
import type { Rect } from '#base/geometry.js';
import { alongLines } from './along.js';
import { leadScale, type Guide } from './guide.js';
import type { Line } from './lines.js';
import { CHANNELS, PATCH_PIXELS, type Scale } from './scale.js';

const PASSES = 2;
/** Draws reach over the whole window at the three coarsest scales, and so far, in pixels, at finer ones. */
const FINE_REACH_PX = 8;

export interface Level {
  /** 0 is the finest of the pyramid, `top` the coarsest. */
  readonly level: number;
  readonly top: number;
  readonly seed: number;
  readonly guide?: Guide | undefined;
  readonly window: Rect;
  /** Photo pixels to a pixel of the scale. */
  readonly shrink: number;
  /** Go on straight through the hole, whatever the coarser field says. */
  readonly lines: readonly Line[];
}

/**
 * One scale: the field of the coarser one doubled (never its colours, so that nothing blurs), then rounds of search and vote
 * (Wexler, Shechtman, Irani 2007). In the last round of the finest scale every pixel is copied. True where the model led.
 */
export async function fillScale(scale: Scale, place: Level, signal: Cancellation): Promise<boolean> {
  const { level, top, seed, guide } = place;
  const led = guide !== undefined && leadScale(scale, guide, place);
  scale.set({ seed: (Math.imul(seed, 131) + level) >>> 0, reach: drawsEverywhere(place) ? 0 : FINE_REACH_PX });
  if (level < top) {
    await inBands(scale, 'inherit', signal);
    for (const { pixel, source } of alongLines(scale, place.lines, 2 ** level)) scale.setSource(pixel, source);
    await vote(scale, signal);
  }
  const rounds = roundsAt(place);
  let pass = 0;
  for (let round = 0; round < rounds; round++) {
    await inBands(scale, 'refresh', signal);
    for (let k = 0; k < PASSES; k++) {
      if (k > 0) await inBands(scale, 'keep', signal);
      scale.set({ pass: pass++ });
      await inBands(scale, 'search', signal);
    }
    if (level === 0 && round === rounds - 1) await copyBest(scale, signal);
    else {
      await scale.pool.run({ name: 'spread', pointer: scale.pointer, pieces: 1 }, signal);
      await vote(scale, signal);
    }
  }
  return led;
}

/** A tenth of the scale’s height off costs as much as this mean square, of 255², over a patch: 17 in every channel. */
const TENTH_OFF = 300;

/**
 * Sky lies above and ground below: where scales are searched as a whole, a source costs the more the higher or lower it lies
 * than the place that it is copied to. To be asked before the coarsest scale is peeled.
 */
export function keepHeights(scales: readonly Scale[]): void {
  const top = scales.length - 1;
  scales.forEach((scale, level) => {
    if (!drawsEverywhere({ level, top })) return;
    scale.set({ layout: Math.round((TENTH_OFF * CHANNELS * PATCH_PIXELS * 100) / scale.extent.height ** 2) });
  });
}

function drawsEverywhere({ level, top }: Pick<Level, 'level' | 'top'>): boolean {
  return level === top || level >= Math.max(1, top - 2);
}

function roundsAt({ level, top }: Level): number {
  if (level >= top - 1) return 8;
  return level >= Math.max(2, top - 3) ? 4 : 2;
}

async function vote(scale: Scale, signal: Cancellation): Promise<void> {
  await inBands(scale, 'weigh', signal);
  await inBands(scale, 'vote', signal);
}

async function copyBest(scale: Scale, signal: Cancellation): Promise<void> {
  scale.takeInts('origin', scale.box.width * scale.box.height);
  await inBands(scale, 'copy', signal);
}

export function inBands(scale: Scale, name: string, signal: Cancellation): Promise<void> {
  return scale.pool.run({ name, pointer: scale.pointer, pieces: scale.bands }, signal);
}
