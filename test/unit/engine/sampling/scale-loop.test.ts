import { describe, expect, test } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import { leastCertain } from '#engine/sampling/masked-passes.js';
import { layersPerScale } from '#engine/sampling/depth-presets.js';
import { widenByOneToken } from '#engine/sampling/keep-mask.js';
import { BitwiseQuantiser } from '#engine/sampling/bitwise-quantiser.js';
import { encodeTokens, sumOfTokens } from '#engine/sampling/quantiser.js';
import { runScales, type ScalePlan, type ScaleStep } from '#engine/sampling/scale-loop.js';
import type { ScalePredictor } from '#engine/tensor/predictor.js';
import { floats } from '#engine/tensor/tensor.js';
import { fakePredictor } from '../../../support/fake-predictor.js';

const schedule = [
  [1, 1],
  [2, 2],
  [4, 4],
] as const;
const quantiser = new BitwiseQuantiser({ codeBits: 2, schedule, patchify: 2 });
const noise = (place: { scale: number; index: number; row: number }) =>
  Math.sin(place.index * 12.9898 + place.scale * 78.233 + place.row * 3);

function planOf(changes: Partial<ScalePlan> = {}, logit = noise): ScalePlan {
  return {
    predictor: fakePredictor({ schedule, tokenBits: 8, depth: 4, logit }),
    quantiser,
    conditioning: { text: { kind: 'words', ids: [2] }, guided: false },
    sampling: { temperature: 1, topP: 1, topK: 0, seed: 7 },
    guidance: [1, 1, 1],
    layers: layersPerScale({ depth: 4, scales: 3, lateScales: 1, lateLayers: 2 }),
    lockedScales: 0,
    given: [],
    until: 3,
    ...changes,
  };
}

async function run(plan: ScalePlan): Promise<ScaleStep[]> {
  const steps: ScaleStep[] = [];
  for await (const step of runScales(plan, NEVER_CANCELLED)) steps.push(step);
  return steps;
}

const bitsOf = (steps: ScaleStep[]) => steps.map((step) => [...step.tokens]);

const features = quantiser.emptySum();
features.data.forEach((_, i) => (features.data[i] = Math.cos(i * 2.3)));

describe('next-scale prediction', () => {
  test('the same seed gives the same bits and another seed others', async () => {
    const first = bitsOf(await run(planOf()));
    expect(bitsOf(await run(planOf()))).toEqual(first);
    expect(bitsOf(await run(planOf({ sampling: { temperature: 1, topP: 1, topK: 0, seed: 8 } })))).not.toEqual(first);
  });

  test('stopping at a scale and going on from its tokens equals a run that was never stopped', async () => {
    const whole = await run(planOf());
    const stopped = await run(planOf({ until: 2 }));
    const continued = await run(planOf({ given: stopped.map((step) => step.tokens) }));
    expect(bitsOf(continued)).toEqual(bitsOf(whole));
    expect(continued.at(-1)?.sum).toEqual(whole.at(-1)?.sum);
  });

  test('temperature 0 takes the likelier value of every bit', async () => {
    const steps = await run(planOf({ sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 } }));
    expect([...steps[2]!.tokens]).toEqual(Array.from({ length: 128 }, (_, index) => (noise({ scale: 2, index, row: 0 }) > 0 ? 1 : 0)));
  });

  test('draws every scale at its own temperature; a level one changes nothing', async () => {
    const whole = bitsOf(await run(planOf()));
    expect(bitsOf(await run(planOf({ temperatures: [1, 1, 1] })))).toEqual(whole);
    const [first, , cold] = bitsOf(await run(planOf({ temperatures: [1, 1, 0] })));
    expect(first).toEqual(whole[0]);
    expect(cold).toEqual(Array.from({ length: 128 }, (_, index) => (noise({ scale: 2, index, row: 0 }) > 0 ? 1 : 0)));
  });

  test('ends guidance where no later scale has any, and not before', async () => {
    const conditioning = { text: { kind: 'words', ids: [2] }, guided: true } as const;
    const predictor = fakePredictor({ schedule, tokenBits: 8, depth: 4, logit: noise });
    await run(planOf({ predictor, conditioning, guidance: [1, 3, 1] }));
    expect(predictor.asked.map(({ batch }) => batch)).toEqual([2, 2, 1]);
  });

  test('ends guidance by a control just so', async () => {
    const control = { map: floats([1, 1, 8, 8]), strength: 1, fromScale: 0, toScale: 2, guided: true };
    const conditioning = { text: { kind: 'words', ids: [2] }, guided: false, control } as const;
    const predictor = fakePredictor({ schedule, tokenBits: 8, depth: 4, logit: noise });
    await run(planOf({ predictor, conditioning, guidance: [1, 3, 1] }));
    expect(predictor.asked.map(({ batch }) => batch)).toEqual([2, 2, 1]);
  });

  test('guidance moves the logits away from the unconditional row', async () => {
    // conditional −1, unconditional −4: at guidance 3 the guided logit is 3·(−1) − 2·(−4) = 5
    const logit = ({ row }: { row: number }) => (row === 0 ? -1 : -4);
    const conditioning = { text: { kind: 'words', ids: [2] }, guided: true } as const;
    const steps = await run(planOf({ conditioning, guidance: [3, 3, 3], sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 } }, logit));
    expect(steps[1]!.tokens.every((bit) => bit === 1)).toBe(true);
  });

  test('top-p never draws a value below its share', async () => {
    const steps = await run(planOf({ sampling: { temperature: 1, topP: 0.9, topK: 0, seed: 3 } }, () => -3));
    expect(steps.every((step) => step.tokens.every((bit) => bit === 0))).toBe(true);
  });

  test('what comes before the first scale is timed apart', async () => {
    const steps = await run(planOf());
    expect(steps.map(({ beginMs }) => beginMs !== undefined)).toEqual([true, false, false]);
  });

  test('late scales run the subset of layers', async () => {
    const plan = planOf();
    await run(plan);
    expect((plan.predictor as ReturnType<typeof fakePredictor>).asked.map(({ layers }) => layers)).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [0, 3],
    ]);
  });

  test('cancelling ends the run between scales', async () => {
    const signal = { aborted: false, reason: undefined };
    const scales = runScales(planOf(), signal);
    await scales.next();
    signal.aborted = true;
    await expect(scales.next()).rejects.toThrow(CancelledError);
  });

  test('a run is told that it has ended, however it ends', async () => {
    const plan = planOf();
    const { ended } = plan.predictor as ReturnType<typeof fakePredictor>;
    await run(plan);
    for await (const { scale } of runScales(plan, NEVER_CANCELLED)) if (scale === 1) break;
    const signal = { aborted: false, reason: undefined };
    const cancelled = async () => {
      for await (const { scale } of runScales(plan, signal)) signal.aborted = scale === 0;
    };
    await expect(cancelled()).rejects.toThrow(CancelledError);
    expect(ended).toEqual([3, 2, 1]);
  });

  test('logits that are not finite are damage, never a picture', async () => {
    const error = await run(planOf({}, () => Number.NaN)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ExpectedError);
    expect((error as ExpectedError).code).toBe('weights.damaged');
  });
});

describe('keeping the source', () => {
  test('a family that puts back the source’s own tokens gets just those', async () => {
    const sourceTokens = schedule.map(([rows, columns], k) => new Uint8Array(rows * columns * 8).fill(k % 2));
    const steps = await run(planOf({ features, sourceTokens, keepMask: floats([1, 8, 8]) }));
    expect(bitsOf(steps)).toEqual(sourceTokens.map((scale) => [...scale]));
  });

  const source = encodeTokens(quantiser, features).tokens.map((scale) => [...scale]);

  test('structure lock takes the source tokens of the first scales', async () => {
    const steps = bitsOf(await run(planOf({ features, lockedScales: 2 })));
    expect(steps.slice(0, 2)).toEqual(source.slice(0, 2));
    expect(steps[2]).not.toEqual(source[2]);
  });

  test('with nothing to repaint every token is the source token', async () => {
    expect(bitsOf(await run(planOf({ features, keepMask: floats([1, 8, 8]) })))).toEqual(source);
  });

  test('outside the hole the finest tokens restore what coarser scales got wrong', async () => {
    const keepMask = floats([1, 8, 8]);
    for (let y = 0; y < 8; y++) keepMask.data.fill(1, y * 8, y * 8 + 4);
    const [, , last] = await run(planOf({ features, keepMask }));
    const before = sumOfTokens(
      quantiser,
      (await run(planOf({ features, keepMask, until: 2 }))).map((step) => step.tokens),
    );
    const expected = quantiser.quantise(features, before, 2);
    const tokensRight = [2, 3, 6, 7, 10, 11, 14, 15];
    for (const token of tokensRight)
      expect(last!.tokens.subarray(token * 8, token * 8 + 8)).toEqual(expected.subarray(token * 8, token * 8 + 8));
  });

  test('a mask is widened by one token on every side', () => {
    const mask = floats([1, 8, 8]);
    mask.data[3 * 8 + 3] = 1;
    const wide = widenByOneToken(mask, 2);
    const columns = [...wide.data.subarray(3 * 8, 4 * 8)];
    expect(columns).toEqual([0, 1, 1, 1, 1, 1, 0, 0]);
    expect(wide.data.reduce((sum, value) => sum + value, 0)).toBe(25);
  });

  test('packs with source fusion see the residual everywhere but inside the hole', async () => {
    const modelMask = floats([1, 8, 8]);
    modelMask.data.fill(1, 0, 32);
    const plan = planOf({ features, modelMask });
    await run(plan);
    const { input } = (plan.predictor as ReturnType<typeof fakePredictor>).asked[2]!;
    expect(input.residual!.data.subarray(0, 8 * 8).every((value) => value === 0)).toBe(true);
    expect(input.residual!.data.subarray(8 * 8).some((value) => value !== 0)).toBe(true);
    expect([...input.mask!.data.subarray(0, 4)]).toEqual([1, 1, 1, 1]);
  });

  test('packs that were shown smooth holes see it there too', async () => {
    const modelMask = floats([1, 8, 8]);
    modelMask.data.fill(1, 0, 32);
    const residuals = await Promise.all(
      [
        { features, modelMask, smoothHoles: true },
        { features, modelMask: floats([1, 8, 8]) },
      ].map(async (changes) => {
        const plan = planOf(changes);
        await run(plan);
        return (plan.predictor as ReturnType<typeof fakePredictor>).asked.map(({ input }) => input.residual!.data);
      }),
    );
    expect(residuals[0]).toEqual(residuals[1]);
  });
});

describe('a re-roll of the least certain tokens', () => {
  const TOKEN = 8;
  const redraw = { scale: 1, share: 0.5, seed: 21 };
  const tokensOf = (bits: readonly number[]) =>
    Array.from({ length: bits.length / TOKEN }, (_, t) => bits.slice(t * TOKEN, (t + 1) * TOKEN).join(''));
  const changedIn = (before: readonly number[], after: readonly number[]) => {
    const was = tokensOf(before);
    return tokensOf(after).flatMap((token, place) => (token === was[place] ? [] : [place]));
  };
  /** The places of scale 1 that are least certain by the logits that its tokens came from. */
  function doubtful({ tokens, logits }: ScaleStep, count: number): readonly number[] {
    const certainty = quantiser.certainty(logits.data, tokens as Uint8Array, planOf().sampling);
    return leastCertain(certainty, [0, 1, 2, 3], count);
  }

  test.each([0.25, 0.5, 0.75, 1])('draws %f of a scale again, and nothing else of it', async (share) => {
    const whole = await run(planOf());
    const places = doubtful(whole[1]!, share * 4);
    // Other numbers may draw the same token again, so several are tried.
    const changed = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      const steps = bitsOf(await run(planOf({ redraw: { scale: 1, share, seed } })));
      expect(steps[0]).toEqual([...whole[0]!.tokens]);
      for (const place of changedIn([...whole[1]!.tokens], steps[1]!)) changed.add(place);
    }
    expect([...changed].sort()).toEqual([...places].sort());
  });

  test('has random numbers of its own: the same again with its seed, others with another, and finer scales as they were', async () => {
    const whole = bitsOf(await run(planOf()));
    const again = bitsOf(await run(planOf({ redraw })));
    expect(bitsOf(await run(planOf({ redraw })))).toEqual(again);
    expect(again[1]).not.toEqual(whole[1]);
    expect(bitsOf(await run(planOf({ redraw: { ...redraw, seed: 22 } })))[1]).not.toEqual(again[1]);
    // These logits hang on no token before them.
    expect(again[2]).toEqual(whole[2]);
    expect(bitsOf(await run(planOf({ redraw: { ...redraw, seed: 7 } })))[1]).not.toEqual(whole[1]);
  });

  test('of given tokens is the same as of drawn ones', async () => {
    const whole = await run(planOf());
    const given = whole.slice(0, 2).map(({ tokens }) => tokens);
    expect(bitsOf(await run(planOf({ redraw, given })))).toEqual(bitsOf(await run(planOf({ redraw }))));
  });

  test('draws by chance also where all else is the likeliest', async () => {
    const sampling = { temperature: 0, topP: 1, topK: 0, seed: 7 };
    const [likeliest, others] = [bitsOf(await run(planOf({ sampling }))), bitsOf(await run(planOf({ sampling, redraw })))];
    expect(changedIn(likeliest[1]!, others[1]!)).not.toEqual([]);
    expect(others[2]).toEqual(likeliest[2]);
  });

  test('asks a transformer that knows masked passes for one, with the doubtful tokens masked', async () => {
    const masked: number[][] = [];
    const plan = planOf();
    const predictor: ScalePredictor = {
      ...plan.predictor,
      begin: async (...begun) => ({
        ...(await plan.predictor.begin(...begun)),
        redraw: (_, input) => {
          masked.push([...input.masked]);
          return Promise.resolve({ logits: floats([1, 4, TOKEN], new Float32Array(4 * TOKEN).fill(30)) });
        },
      }),
    };
    const whole = await run(plan);
    const [first, second] = await run(planOf({ predictor, redraw }));
    const places = doubtful(whole[1]!, 2);
    expect(masked).toEqual([[0, 1, 2, 3].map((place) => (places.includes(place) ? 1 : 0))]);
    const expected = tokensOf([...whole[1]!.tokens]).map((token, place) => (places.includes(place) ? '1'.repeat(TOKEN) : token));
    expect(tokensOf([...second!.tokens])).toEqual(expected);
    expect(first!.tokens).toEqual(whole[0]!.tokens);
    // The first scale has nothing before it: no pass sees it masked.
    await run(planOf({ predictor, redraw: { ...redraw, scale: 0, share: 1 } }));
    expect(masked).toHaveLength(1);
  });

  test('leaves what is kept of the source alone, and is refused where all of it is kept', async () => {
    const keepMask = floats([1, 8, 8]);
    for (let y = 0; y < 8; y++) keepMask.data.fill(1, y * 8, y * 8 + 4);
    const kept = { features, keepMask };
    const whole = await run(planOf(kept));
    const steps = await run(planOf({ ...kept, redraw: { scale: 2, share: 1, seed: 3 } }));
    const right = Array.from({ length: 16 }, (_, place) => place).filter((place) => place % 4 > 1);
    const changed = changedIn([...whole[2]!.tokens], [...steps[2]!.tokens]);
    expect(changed.length).toBeGreaterThan(0);
    expect(changed.filter((place) => right.includes(place))).toEqual([]);
    const refused = run(planOf({ features, lockedScales: 2, redraw }));
    await expect(refused).rejects.toMatchObject({
      code: 'request.invalid',
      message: expect.stringMatching(/scale 2 .* source/u) as string,
    });
  });
});
