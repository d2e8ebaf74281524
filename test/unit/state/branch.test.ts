import { describe, expect, test } from 'vitest';
import type { Candidate } from '#contract/event.js';
import { continued, endedAt, isDrawn, isUnfinished, lastPlace, reachedPlace, redrawnAt, rerolledFrom, stoppedAt } from '#state/branch.js';
import type { ShownResult } from '#state/sheets.js';

const TOKENS = { pack: 'studio', schedule: [[1, 1], [2, 2], [4, 4]] as [number, number][], tokens: [['0'], ['1'], ['2']] }; // prettier-ignore
const WHOLE: Candidate<string> = { index: 0, picture: 'p', tokens: TOKENS, seed: 7, changedPixels: 1, changedOutsideMask: 0 };
const DETAILED: Candidate<string> = { ...WHOLE, detail: { lead: 0.3, ledBy: 'photograph', scale: 4, of: 4, seeds: [7, 7, 9, 9] } };
const STOPPED: Candidate<string> = { ...WHOLE, detail: { lead: 0.3, ledBy: 'photograph', scale: 2, of: 4, seeds: [7, 8] } };

function shown(candidate: Candidate<string>, stopAtDetail?: number): ShownResult {
  return { candidate, request: { task: 'fill', ...(stopAtDetail !== undefined && { stopAtDetail }) } } as unknown as ShownResult;
}

describe('places on the strip', () => {
  test('count the detail scales behind those of the model', () => {
    expect([reachedPlace(WHOLE), lastPlace(WHOLE)]).toEqual([3, 3]);
    expect([reachedPlace(STOPPED), lastPlace(STOPPED)]).toEqual([5, 7]);
  });

  test('a result is unfinished where it was stopped, and not where memory was short for the finest scale', () => {
    expect(isUnfinished(shown({ ...WHOLE, tokens: { ...TOKENS, tokens: [['0']] } }))).toBe(true);
    expect(isUnfinished(shown(STOPPED, 2))).toBe(true);
    expect(isUnfinished(shown(STOPPED))).toBe(false);
    expect(isUnfinished(shown(DETAILED))).toBe(false);
  });

  test('a run stops at a scale of the model with its tokens so far, and at a detail scale with all of them and the same seeds', () => {
    expect(stoppedAt(DETAILED, 2)).toEqual({ seed: 7, count: 1, stopAtScale: 2, resume: { ...TOKENS, tokens: [['0'], ['1']] } });
    expect(stoppedAt(DETAILED, 5)).toEqual({ seed: 7, count: 1, resume: TOKENS, stopAtDetail: 2, detailSeeds: [7, 7, 9, 9] });
  });

  test('a stopped run goes on with the seeds that it had', () => {
    expect(continued(STOPPED)).toEqual({ seed: 7, count: 1, resume: TOKENS, detailSeeds: [7, 8] });
    const early = { ...TOKENS, tokens: [['0']] };
    expect(continued({ ...WHOLE, tokens: early })).toEqual({ seed: 7, count: 1, resume: early });
  });

  test('re-rolling a detail scale keeps the model’s tokens and the coarser seeds, and draws another', () => {
    const another = { seed: 8, temperature: 1, count: 2 };
    expect(rerolledFrom(DETAILED, 2, another)).toEqual({ ...another, resume: { ...TOKENS, tokens: [['0']] } });
    expect(rerolledFrom(DETAILED, 6, another)).toEqual({ seed: 7, count: 2, resume: TOKENS, detailSeeds: [7, 7, 10] });
    expect(rerolledFrom(STOPPED, 6, another)).toMatchObject({ detailSeeds: [7, 8, 9] });
  });

  test('what is least certain of a scale is drawn again from that scale on, with the run’s seed; detail scales have nothing of the kind', () => {
    const redraw = { scale: 2, share: 0.5, seed: 9 };
    expect(redrawnAt(DETAILED, redraw, 4)).toEqual({ seed: 7, count: 4, resume: { ...TOKENS, tokens: [['0'], ['1']] }, redraw });
    expect([1, 3, 4].map((place) => isDrawn(DETAILED, place))).toEqual([true, true, false]);
  });

  test('a run that is ended keeps what it was given, and a re-roll only where it came to it', () => {
    const redraw = { scale: 2, share: 0.5, seed: 9 };
    expect(endedAt({ seed: 7 }, { scale: 1, detail: 0 })).toEqual({ seed: 7, stopAtScale: 1 });
    expect(endedAt({ resume: TOKENS, redraw }, { scale: 1, detail: 0 })).toEqual({ resume: TOKENS, redraw, stopAtScale: 3 });
    expect(endedAt({ redraw }, { scale: 1, detail: 0 })).toEqual({ stopAtScale: 1 });
    expect(endedAt({ redraw }, { scale: 2, detail: 0 })).toEqual({ redraw, stopAtScale: 2 });
    expect(endedAt({ redraw }, { scale: 3, detail: 2 })).toEqual({ redraw, stopAtDetail: 2 });
  });
});
