import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { Extent } from '#base/geometry.js';
import { CancelledError, ExpectedError } from '#contract/errors.js';
import type { PackCard } from '#contract/pack-card.js';
import { FileRecipe } from '#contract/recipe.js';
import { EditRequest, firstScales, type EditRequestInput } from '#contract/request.js';
import { traitsOf } from '#contract/traits.js';
import { readFacts } from '#engine/image/files/decode.js';
import type { Fit, PipelineEvent, PipelineJob } from '#engine/pipelines/model.js';
import { runPipeline } from '#engine/pipelines/pipelines.js';
import type { FloatTensor } from '#engine/tensor/tensor.js';
import { fakeModel, type FakeModel } from '../../../support/fake-model.js';
import { maskPng, rgbOf, scenePng } from '../../../support/pictures.js';
import { tinyCard } from '../../../support/tiny-card.js';

const size = { width: 96, height: 64 };
const box = { x: 40, y: 20, width: 20, height: 20 };
const pictures = { source: await scenePng(size.width, size.height), mask: await maskPng(size, box) };

function jobOf(request: EditRequestInput, model: FakeModel = fakeModel()): PipelineJob {
  return {
    request: v.parse(EditRequest, request),
    pictures,
    model,
    provider: 'fake',
    loadMs: 0,
    estimate: () => ({ ms: 1, bytes: 1 }),
    peakRssBytes: () => 1,
  };
}

async function collect(job: PipelineJob): Promise<PipelineEvent[]> {
  const events: PipelineEvent[] = [];
  for await (const event of runPipeline(job, NEVER_CANCELLED)) events.push(event);
  return events;
}

function candidates(events: readonly PipelineEvent[]) {
  return events.flatMap((event) => (event.type === 'candidate' ? [event.candidate] : []));
}

async function only(request: EditRequestInput, model?: FakeModel) {
  const [candidate] = candidates(await collect(jobOf(request, model)));
  if (!candidate) throw new Error('Expected a candidate.');
  return candidate;
}

function expectOutsideEqual(a: Uint8Array, b: Uint8Array, allowed: (x: number, y: number) => boolean): void {
  let differing = 0;
  for (let i = 0; i < a.length; i++) {
    const pixel = Math.floor(i / 3);
    if (a[i] !== b[i] && !allowed(pixel % size.width, Math.floor(pixel / size.width))) differing += 1;
  }
  expect(differing).toBe(0);
}

const near = (margin: number) => (x: number, y: number) =>
  x >= box.x - margin && x < box.x + box.width + margin && y >= box.y - margin && y < box.y + box.height + margin;

describe('a run', () => {
  test('starts with its plan, shows every scale and its preview in order, and ends with its cost', async () => {
    const events = await collect(jobOf({ task: 'edit', source: 'source', instruction: 'red' }));
    expect(events.map((event) => event.type)).toEqual([
      'started',
      ...Array.from({ length: 3 }, () => ['scale', 'preview']).flat(),
      'candidate',
      'done',
    ]);
    expect(events.flatMap((event) => (event.type === 'scale' ? [event.scale] : []))).toEqual([1, 2, 3]);
  });

  test('decodes no picture twice, and the source’s behind the last preview', async () => {
    const fake = fakeModel();
    const done: string[] = [];
    const decode = (codes: FloatTensor) => {
      done.push(`decoded ${codes.dims.slice(2).join('×')}`);
      return fake.coder.decode(codes);
    };
    const job = jobOf({ task: 'edit', source: 'source', instruction: 'red' }, { ...fake, coder: { ...fake.coder, decode } });
    for await (const { type } of runPipeline(job, NEVER_CANCELLED)) if (type === 'preview') done.push('shown');
    const previews = tinyCard.config.transformer.scales.flatMap(([rows, columns]) => [`decoded ${2 * rows}×${2 * columns}`, 'shown']);
    expect(done).toEqual([...previews, 'decoded 8×8']);
  });

  test('shows no previews while memory is short, says so, and gives the same picture', async () => {
    const request = { task: 'edit', source: 'source', instruction: 'red' } as const;
    const plain = await collect(jobOf(request));
    let asked = 0;
    // Enough at the start and at the first scale, short from then on.
    const later = await collect({ ...jobOf(request), isShortOfMemory: () => ++asked > 2 });
    expect(later.flatMap((event) => (event.type === 'preview' ? [event.scale] : []))).toEqual([1]);
    const never = await collect({ ...jobOf(request), isShortOfMemory: () => true });
    expect(never.filter(({ type }) => type === 'preview')).toEqual([]);
    expect(never[0]).toMatchObject({ type: 'started', plan: { notices: [{ code: 'previews.off' }] } });
    expect(plain[0]).toMatchObject({ type: 'started', plan: { notices: [] } });
    for (const events of [later, never]) expect(candidates(events)[0]?.picture).toEqual(candidates(plain)[0]?.picture);
  });

  test('twice with one seed gives the same bytes', async () => {
    const request = { task: 'fill', source: 'source', mask: 'mask', temperature: 1, seed: 5 } as const;
    expect((await only(request)).picture).toEqual((await only(request)).picture);
  });

  test('a level curve of temperatures gives the bytes of one temperature, and a falling one others', async () => {
    const request = { task: 'fill', source: 'source', mask: 'mask', seed: 5 } as const;
    const { picture, tokens } = await only({ ...request, temperature: 1 });
    expect((await only({ ...request, temperature: [1, 1, 1] })).picture).toEqual(picture);
    const cooled = await only({ ...request, temperature: [1, 0] });
    expect(cooled.tokens.tokens[0]).toEqual(tokens.tokens[0]);
    expect(cooled.tokens.tokens[1]).not.toEqual(tokens.tokens[1]);
  });

  test('stopped at a scale and continued equals one that was never stopped', async () => {
    const request = { task: 'fill', source: 'source', mask: 'mask', temperature: 1, seed: 5 } as const;
    const stopped = await only({ ...request, stopAtScale: 2 });
    expect(stopped.tokens.tokens).toHaveLength(2);
    const continued = await only({ ...request, resume: stopped.tokens });
    const whole = await only(request);
    expect(continued.tokens).toEqual(whole.tokens);
    expect(continued.picture).toEqual(whole.picture);
  });

  test('branched at a scale shares the coarser tokens and re-draws the finer ones', async () => {
    const request = { task: 'fill', source: 'source', mask: 'mask', temperature: 1 } as const;
    const first = await only({ ...request, seed: 1 });
    const resume = { ...first.tokens, tokens: first.tokens.tokens.slice(0, 2) };
    const branches = candidates(await collect(jobOf({ ...request, seed: 50, count: 2, resume })));
    expect(branches).toHaveLength(2);
    for (const branch of branches) expect(branch.tokens.tokens.slice(0, 2)).toEqual(resume.tokens);
    expect(branches[0]?.tokens.tokens[2]).not.toEqual(branches[1]?.tokens.tokens[2]);
  });

  describe('a re-roll of the least certain tokens', () => {
    const request = { task: 'fill', source: 'source', mask: 'mask', temperature: 1, seed: 5 } as const;
    const redraw = { scale: 2, share: 0.5, seed: 40 };

    test('of a result is that of the run which made it, finer tokens or not', async () => {
      const whole = await only(request);
      const anew = await only({ ...request, redraw });
      expect((await only({ ...request, redraw })).picture).toEqual(anew.picture);
      for (const resume of [whole.tokens, firstScales(whole.tokens, 2), firstScales(whole.tokens, 1)]) {
        const again = await only({ ...request, redraw, resume });
        expect(again.tokens).toEqual(anew.tokens);
        expect(again.picture).toEqual(anew.picture);
      }
      expect(anew.tokens.tokens[0]).toEqual(whole.tokens.tokens[0]);
      expect(anew.tokens.tokens[1]).not.toEqual(whole.tokens.tokens[1]);
    });

    test('differs from candidate to candidate, each in its recipe', async () => {
      const written = { ...request, redraw, output: { format: 'png', recipe: true } } as const;
      const drawn = candidates(await collect(jobOf({ ...written, count: 2 })));
      expect(drawn.map(({ seed }) => seed)).toEqual([5, 5]);
      expect(drawn[0]?.tokens.tokens[1]).not.toEqual(drawn[1]?.tokens.tokens[1]);
      const recipes = await Promise.all(
        drawn.map(async ({ picture }) => v.parse(FileRecipe, JSON.parse((await readFacts(picture)).recipeText ?? ''))),
      );
      expect(recipes.map((recipe) => recipe.request.redraw)).toEqual([redraw, { ...redraw, seed: 41 }]);
      // What a recipe asks for is its picture.
      for (const [i, recipe] of recipes.entries()) {
        const again = await only({ ...written, ...recipe.request, source: 'source', mask: 'mask', count: 1 });
        expect(again.picture).toEqual(drawn[i]?.picture);
      }
    });

    test('takes the run’s seed where it has none of its own', async () => {
      const plain = { scale: 2, share: 0.5 };
      expect((await only({ ...request, redraw: plain })).tokens).toEqual(
        (await only({ ...request, redraw: { ...plain, seed: 5 } })).tokens,
      );
    });

    test.each([
      ['a scale that there is not', { redraw: { scale: 9, share: 1 } }, 'Expected a scale from 1 to 3 to redraw but received 9.'],
      ['one behind the last that is run', { redraw, stopAtScale: 1 }, 'Expected a scale from 1 to 1 to redraw but received 2.'],
    ])('refuses %s', async (_, change, message) => {
      await expect(only({ ...request, ...change })).rejects.toMatchObject({ code: 'request.invalid', message });
    });

    test('is refused for packs that cannot tell how certain a token is', async () => {
      const { redraws: _, ...traits } = traitsOf(tinyCard);
      const card = { ...tinyCard, family: 'other', traits } as unknown as PackCard;
      const model = { ...fakeModel(), card };
      const message = `Expected a pack that draws single tokens again but "${card.name}" does not.`;
      await expect(only({ ...request, redraw }, model)).rejects.toMatchObject({ code: 'pack.unable', message });
    });
  });

  test('is cancelled between scales', async () => {
    const signal = { aborted: false, reason: undefined };
    const events = runPipeline(jobOf({ task: 'edit', source: 'source', instruction: 'red' }), signal);
    await events.next();
    signal.aborted = true;
    await expect(events.next()).rejects.toThrow(CancelledError);
  });
});

describe('fill', () => {
  test('changes nothing beyond the mask and its soft edge', async () => {
    const candidate = await only({ task: 'fill', source: 'source', mask: 'mask', blend: 3 });
    const before = await rgbOf(pictures.source);
    const after = await rgbOf(candidate.picture);
    expect([after.width, after.height]).toEqual([size.width, size.height]);
    expectOutsideEqual(before.samples, after.samples, near(3));
    expect(candidate.changedPixels).toBeGreaterThan(0);
    expect(candidate.changedOutsideMask).toBe(0);
  });

  test('hides what is under the mask from a model that was trained with holes', async () => {
    const { transformer } = tinyCard.config;
    const card = { ...tinyCard, config: { ...tinyCard.config, transformer: { ...transformer, maskEmbedding: true } } };
    const model = { ...fakeModel(), card };
    await only({ task: 'fill', source: 'source', mask: 'mask' }, model);
    const tokens = model.predictor.begun[0]?.source?.tokens.data ?? new Float32Array();
    // Grey pixels encode to zero in the fake coder.
    expect(tokens.filter((value) => Math.abs(value) < 1e-6).length).toBeGreaterThan(0);
  });
});

describe('a model that was shown smooth holes', () => {
  const { transformer } = tinyCard.config;
  const config = { ...tinyCard.config, transformer: { ...transformer, maskEmbedding: true, holes: 'smooth' as const } };

  async function sourceTokens(request: EditRequestInput) {
    const model = { ...fakeModel(), card: { ...tinyCard, config } };
    await only(request, model);
    return model.predictor.begun[0]?.source?.tokens.data ?? new Float32Array();
  }

  test('sees the surroundings go on in the hole instead of grey', async () => {
    const tokens = await sourceTokens({ task: 'fill', source: 'source', mask: 'mask' });
    expect(tokens.filter((value) => Math.abs(value) < 1e-6)).toHaveLength(0);
  });

  test('sees grey where there are no surroundings', async () => {
    const tokens = await sourceTokens({ task: 'generate', instruction: 'red' });
    expect(tokens.every((value) => Math.abs(value) < 1e-6)).toBe(true);
  });
});

describe('two spots that lie apart', () => {
  const wide = { width: 480, height: 200 };
  const [left, right] = [
    { x: 30, y: 40, width: 22, height: 16 },
    { x: 400, y: 150, width: 12, height: 30 },
  ];
  const held = { wide: scenePng(480, 200), left: maskPng(wide, left), right: maskPng(wide, right), both: bothPng() };
  const request = { task: 'fill', source: 'wide', mask: 'both', temperature: 1, seed: 7 } as const;

  async function bothPng(): Promise<Uint8Array> {
    const pixels = new Uint8Array(wide.width * wide.height);
    for (const { x, y, width, height } of [left, right]) {
      for (let row = y; row < y + height; row++) pixels.fill(255, row * wide.width + x, row * wide.width + x + width);
    }
    return new Uint8Array(await sharp(pixels, { raw: { ...wide, channels: 1 } }).png().toBuffer()); // prettier-ignore
  }

  function joined(source: Uint8Array, first: Uint8Array, second: Uint8Array): Uint8Array {
    return source.map((value, i) => (first[i] === value ? second[i]! : first[i]!));
  }

  async function run(input: EditRequestInput, model = fakeModel()) {
    const entries = await Promise.all(Object.entries(held).map(async ([id, bytes]) => [id, await bytes] as const));
    return collect({ ...jobOf(input, model), pictures: Object.fromEntries(entries) });
  }

  async function one(input: EditRequestInput) {
    const [candidate] = candidates(await run(input));
    if (!candidate) throw new Error('Expected a candidate.');
    return candidate;
  }

  test.each([
    ['fill', {}],
    ['edit', { task: 'edit', instruction: 'red' }],
    ['a wide soft edge', { blend: 40 }],
    ['a locked structure', { task: 'edit', instruction: 'red', structure: 1 }],
  ] as const)('are each as if they were alone: %s', async (_, change) => {
    const [both, first, second] = [await one({ ...request, ...change }), await one({ ...request, ...change, mask: 'left' }), await one({ ...request, ...change, mask: 'right' })]; // prettier-ignore
    expect(both.tokens).toEqual({ ...first.tokens, regions: [second.tokens.tokens] });
    const pictures = [await held.wide, both.picture, first.picture, second.picture];
    const [source, result, alone, other] = (await Promise.all(pictures.map(rgbOf))).map(({ samples }) => samples) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]; // prettier-ignore
    const expected = joined(source, alone, other);
    expect(Buffer.compare(result, expected)).toBe(0);
    expect(both.changedPixels).toBe(first.changedPixels + second.changedPixels);
    expect(both.changedOutsideMask).toBe(0);
  });

  test('are shown in turn, each in its own frame', async () => {
    const events = await run(request);
    const [started] = events;
    if (started?.type !== 'started') throw new Error('Expected a plan.');
    const { crop, regions = [], estimateMs } = started.plan;
    expect(regions).toHaveLength(2);
    expect([crop, estimateMs]).toEqual([regions[0], 2]);
    const places = events.flatMap((event) => (event.type === 'scale' || event.type === 'preview' ? [event] : []));
    expect(places.filter(({ type }) => type === 'scale').map(({ scale, part }) => [part?.index, part?.of, scale])).toEqual(
      [1, 2].flatMap((index) => [1, 2, 3].map((scale) => [index, 2, scale])),
    );
    for (const { part } of places) expect(part?.crop).toEqual(regions[part!.index - 1]);
  });

  test('stop at a scale and go on, and branch off at one, as one spot does', async () => {
    const whole = await one(request);
    const stopped = await one({ ...request, stopAtScale: 2 });
    expect(stopped.tokens).toEqual(firstScales(whole.tokens, 2));
    expect((await one({ ...request, resume: stopped.tokens })).picture).toEqual(whole.picture);
    const branches = candidates(await run({ ...request, seed: 50, count: 2, resume: firstScales(whole.tokens, 1) }));
    expect(branches.map(({ tokens }) => firstScales(tokens, 1))).toEqual([firstScales(whole.tokens, 1), firstScales(whole.tokens, 1)]);
    expect(branches[0]?.tokens.regions).not.toEqual(branches[1]?.tokens.regions);
  });

  test('stay in one frame where the tokens are of one', async () => {
    const { tokens: rows, ...rest } = (await one(request)).tokens;
    const { regions: _, ...old } = rest;
    const events = await run({ ...request, resume: { ...old, tokens: rows.slice(0, 1) } });
    expect(events.find((event) => event.type === 'started')?.plan).not.toHaveProperty('regions');
    expect(candidates(events)[0]?.tokens).not.toHaveProperty('regions');
  });

  test('refuse tokens of another number of parts, or of parts of unequal length', async () => {
    const { tokens } = await one(request);
    await expect(one({ ...request, mask: 'left', resume: tokens })).rejects.toThrow('Expected tokens of 1 parts of the mask');
    const uneven = { ...tokens, regions: [tokens.tokens.slice(0, 1)] };
    await expect(one({ ...request, resume: uneven })).rejects.toMatchObject({ code: 'tokens.invalid' });
  });
});

describe('expand', () => {
  test.each([0, 12])('grows the canvas by its margins and keeps every old pixel (soft edge %i)', async (blend) => {
    const candidate = await only({ task: 'expand', source: 'source', margins: { left: 10, top: 6 }, blend });
    const before = await rgbOf(pictures.source);
    const after = await rgbOf(candidate.picture);
    expect([after.width, after.height]).toEqual([106, 70]);
    let differing = 0;
    for (let y = 0; y < size.height; y++) {
      for (let i = 0; i < size.width * 3; i++) {
        if (after.samples[((y + 6) * 106 + 10) * 3 + i] !== before.samples[y * size.width * 3 + i]) differing += 1;
      }
    }
    expect(differing).toBe(0);
  });

  test('refuses to grow by nothing', async () => {
    await expect(collect(jobOf({ task: 'expand', source: 'source', margins: {} }))).rejects.toThrow('at least one margin');
  });
});

describe('edit', () => {
  test('without a change of tokens leaves every pixel as it was', async () => {
    const candidate = await only({ task: 'edit', source: 'source', instruction: 'red', structure: 3 });
    expect((await rgbOf(candidate.picture)).samples).toEqual((await rgbOf(pictures.source)).samples);
    expect(candidate.changedPixels).toBe(0);
    expect(candidate.notices?.map(({ code }) => code)).toEqual(['edit.unchanged']);
  });

  test('padded shows the photo in the corner of a white square, and gives it back at its own size', async () => {
    const model = fakeModel();
    const shapes: (Extent | undefined)[] = [];
    const fitted = { ...model, fitted: ({ shape }: Fit) => (shapes.push(shape), model) };
    const request = { task: 'edit', source: 'source', instruction: 'red', padded: true, whole: true } as const;
    const events = await collect(jobOf(request, fitted));
    const plan = events.find((event) => event.type === 'started')?.plan;
    expect(shapes).toEqual([{ width: 96, height: 96 }]);
    expect(plan?.crop).toEqual({ x: 0, y: 0, width: 96, height: 96 });
    expect(await rgbOf(candidates(events)[0]!.picture)).toMatchObject({ width: size.width, height: size.height });
    // White encodes to ones in the fake coder: the last row of tokens lies below the photo, the first in it.
    const tokens = model.predictor.begun[0]?.source?.tokens.data ?? new Float32Array();
    expect([...tokens.slice(-8)]).toEqual(Array.from({ length: 8 }, () => 1));
    expect(tokens[0]).toBeLessThan(0.9);
  });

  test('held to a mask changes nothing beyond it', async () => {
    const candidate = await only({ task: 'edit', source: 'source', mask: 'mask', instruction: 'red', blend: 2 });
    expectOutsideEqual((await rgbOf(pictures.source)).samples, (await rgbOf(candidate.picture)).samples, near(2));
  });

  test('without an instruction is refused in one sentence', async () => {
    await expect(collect(jobOf({ task: 'edit', source: 'source', instruction: '  ' }))).rejects.toThrow(
      'Expected an instruction but received none.',
    );
  });

  test('lighter presets run fewer layers on the late scales', async () => {
    const model = fakeModel();
    await only({ task: 'edit', source: 'source', instruction: 'red', preset: 'draft' }, model);
    expect(model.predictor.asked.map(({ layers }) => layers.length)).toEqual([4, 4, 1]);
  });
});

describe('generate', () => {
  test('gives a picture of the size that was asked for', async () => {
    const candidate = await only({ task: 'generate', instruction: 'red', size: { width: 50, height: 40 } });
    const { width, height } = await rgbOf(candidate.picture);
    expect([width, height]).toEqual([50, 40]);
  });

  test('with control needs a pack that has it', async () => {
    const error = await collect(jobOf({ task: 'generate', source: 'source', control: { kind: 'canny' } })).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ExpectedError);
    expect((error as ExpectedError).code).toBe('pack.unable');
  });
});

test('control canny gives a map of the picture’s own size in black and white', async () => {
  const candidate = await only({ task: 'control', source: 'source', control: { kind: 'canny' } });
  const { width, height, samples } = await rgbOf(candidate.picture);
  expect([width, height]).toEqual([size.width, size.height]);
  expect([...new Set(samples)].sort((a, b) => a - b)).toEqual([0, 255]);
});
