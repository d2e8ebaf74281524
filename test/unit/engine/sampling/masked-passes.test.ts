import { describe, expect, test } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { CancelledError } from '#contract/errors.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { leastCertain, withoutDoubt, type MaskedPasses } from '#engine/sampling/masked-passes.js';
import { VectorQuantiser } from '#engine/sampling/vector-quantiser.js';
import { floats } from '#engine/tensor/tensor.js';

const quantiser = new VectorQuantiser({
  schedule: [[2, 2]],
  codebook: new Codebook(floats([3, 1], Float32Array.of(-1, 0, 1))),
  filters: [],
});

/** Logits of which token i is `token` with ever less doubt. */
const logits = (token: number, lead: readonly number[]) =>
  Float32Array.from(lead.flatMap((by) => [0, 1, 2].map((entry) => (entry === token ? by : 0))));
const DRAWN = { scale: 0, tokens: Uint16Array.of(0, 0, 0, 0), guided: logits(0, [4, 1, 3, 2]) };

function passes(counts: readonly number[], changes: Partial<MaskedPasses> = {}) {
  const asked: { tokens: number[]; places: readonly number[] }[] = [];
  const all: MaskedPasses = {
    quantiser,
    counts,
    free: [0, 1, 2, 3],
    options: () => ({ temperature: 0, topK: 0, topP: 1, seed: 0 }),
    again: (tokens, places) => {
      asked.push({ tokens: [...tokens], places });
      return Promise.resolve(logits(asked.length, [1, 4, 2, 3]));
    },
    ...changes,
  };
  return { all, asked };
}

describe('masked passes', () => {
  test('draw the least certain once more, each pass those of the pass before', async () => {
    const { all, asked } = passes([3, 1]);
    expect([...(await withoutDoubt(all, DRAWN, NEVER_CANCELLED))]).toEqual([0, 1, 2, 1]);
    expect(asked).toEqual([
      { tokens: [0, 0, 0, 0], places: [1, 3, 2] },
      // Of the new ones the third is the least certain; the first, which was kept, has no say.
      { tokens: [0, 1, 1, 1], places: [2] },
    ]);
  });

  test('leave alone what must stay, and end where nothing is left', async () => {
    const { all, asked } = passes([3, 2], { free: [0, 2] });
    expect([...(await withoutDoubt(all, DRAWN, NEVER_CANCELLED))]).toEqual([2, 0, 2, 0]);
    expect(asked.map(({ places }) => places)).toEqual([[2, 0], [0, 2]]); // prettier-ignore
    const none = passes([3], { free: [] });
    expect([...(await withoutDoubt(none.all, DRAWN, NEVER_CANCELLED))]).toEqual([0, 0, 0, 0]);
    expect(none.asked).toEqual([]);
  });

  test('end between two passes when cancelled', async () => {
    await expect(withoutDoubt(passes([1]).all, DRAWN, { aborted: true, reason: undefined })).rejects.toThrow(CancelledError);
  });

  test('break ties by place, also among those that could not have been drawn', () => {
    expect(leastCertain([-1, -Infinity, -2, -Infinity], [5, 6, 7, 8], 3)).toEqual([6, 8, 7]);
    expect(leastCertain([-1, -1, -1], [2, 1, 0], 2)).toEqual([0, 1]);
  });
});
