import type { Candidate } from '#contract/event.js';
import { firstScales, type PictureId, type Redraw } from '#contract/request.js';
import type { Detour, ShownResult } from './sheets.js';

/** Places on the strip are 1-based: the model's scales, and behind them the detail scales. */
type Made = Candidate<PictureId>;

/** The last place that a result has. */
export function reachedPlace({ tokens, detail }: Made): number {
  return tokens.tokens.length + (detail?.scale ?? 0);
}

export function lastPlace({ tokens, detail }: Made): number {
  return tokens.schedule.length + (detail?.of ?? 0);
}

/** It was stopped: a run whose memory was short for the finest detail has nothing to go on to. */
export function isUnfinished({ candidate, request }: ShownResult): boolean {
  const { tokens, detail } = candidate;
  if (tokens.tokens.length < tokens.schedule.length) return true;
  return request.stopAtDetail !== undefined && detail !== undefined && detail.scale < detail.of;
}

/** The run that ends at a place as this one did there. */
export function stoppedAt(made: Made, place: number): Detour {
  const detail = detailAt(made, place);
  if (detail === undefined) return { seed: made.seed, count: 1, stopAtScale: place, resume: firstScales(made.tokens, place) };
  return { ...wholeOf(made), stopAtDetail: detail, detailSeeds: seedsOf(made) };
}

/** A run under way that is to end with what is there: never before the scales that it was given, and without a re-roll that it has not come to. */
export function endedAt(detour: Detour, reached: { readonly scale: number; readonly detail: number }): Detour {
  if (reached.detail > 0) return { ...detour, stopAtDetail: reached.detail };
  const { redraw, ...plain } = detour;
  const stopAtScale = Math.max(reached.scale, detour.resume?.tokens.length ?? 0);
  return { ...plain, stopAtScale, ...(redraw && redraw.scale <= stopAtScale && { redraw }) };
}

/** The run that draws what a stopped one lacks. */
export function continued(made: Made): Detour {
  const isModels = made.tokens.tokens.length < made.tokens.schedule.length;
  return isModels ? wholeOf(made) : { ...wholeOf(made), detailSeeds: seedsOf(made) };
}

/** Other pictures with the same coarser scales: the one at `place` and those behind it are made anew, as `another` says. */
export function rerolledFrom(made: Made, place: number, another: Detour): Detour {
  const detail = detailAt(made, place);
  if (detail === undefined) return { ...another, resume: firstScales(made.tokens, place - 1) };
  const seeds = seedsOf(made);
  const next = ((seeds[detail - 1] ?? seeds.at(-1) ?? 0) + 1) >>> 0;
  return { ...wholeOf(made), count: another.count, detailSeeds: [...seeds.slice(0, detail - 1), next] };
}

/** Other pictures of which only the least certain of one of the model's scales is drawn anew, and what is finer follows from it. */
export function redrawnAt(made: Made, redraw: Redraw, count: number): Detour {
  return { seed: made.seed, count, resume: firstScales(made.tokens, redraw.scale), redraw };
}

/** One of the model's scales that a result has, and no detail scale: those have no tokens. */
export function isDrawn({ tokens }: Made, place: number): boolean {
  return place <= tokens.tokens.length;
}

/** A seed that no re-roll among these has had. */
export function nextRedrawSeed(results: readonly ShownResult[]): number {
  const had = results.map(({ request, candidate }) => request.redraw?.seed ?? candidate.seed);
  return (Math.max(...had) + 1) >>> 0;
}

function detailAt({ tokens }: Made, place: number): number | undefined {
  return place > tokens.schedule.length ? place - tokens.schedule.length : undefined;
}

function seedsOf({ seed, detail }: Made): number[] {
  return detail === undefined || detail.seeds.length === 0 ? [seed] : [...detail.seeds];
}

function wholeOf({ seed, tokens }: Made): Detour {
  return { seed, count: 1, resume: firstScales(tokens, tokens.tokens.length) };
}
