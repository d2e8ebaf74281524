import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FileRecipe } from '#contract/recipe.js';
import type { EditRequestInput } from '#contract/request.js';
import type { ProbedEvent } from '#service/run-edit.js';
import { fakeEngine, grayPng, threeScales } from '../../support/fake-engine.js';
import { openTestService, type TestService } from '../../support/service.js';

const TOKENS = { pack: 'studio', schedule: [[1, 1]] as [number, number][], tokens: [['0']] };
let opened: TestService;

beforeEach(async () => {
  opened = await openTestService({
    tokenize: () => Promise.resolve(TOKENS),
    decode: () => Promise.resolve(grayPng(16, 16)),
    convert: () => Promise.resolve(grayPng(5, 5)),
    checkInstruction: (_pack, instruction) =>
      Promise.resolve({ known: instruction === 'red', unknownWords: [], understands: [], cut: false }),
    forecast: ({ pictures }) => {
      const cost = { ms: Object.keys(pictures).length, bytes: 1, layers: 1 };
      return Promise.resolve({ best: cost, balanced: cost, fast: cost, draft: cost, availableBytes: 1 });
    },
  });
});

afterEach(() => opened.close());

async function collect(events: AsyncGenerator<ProbedEvent, void>): Promise<ProbedEvent[]> {
  const all: ProbedEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe('task rules', () => {
  it.each<[string, EditRequestInput, string, RegExp]>([
    ['edit without a source', { task: 'edit', instruction: 'x' }, 'request.invalid', /for source/u],
    ['edit without an instruction', { task: 'edit', source: 'a' }, 'instruction.missing', /for edit/u],
    ['fill without a mask', { task: 'fill', source: 'a' }, 'mask.empty', /a mask for fill/u],
    ['expand without margins', { task: 'expand', source: 'a' }, 'request.invalid', /at least one margin above 0/u],
    ['expand by nothing', { task: 'expand', source: 'a', margins: { left: 0 } }, 'request.invalid', /at least one margin above 0/u],
    ['generate from nothing', { task: 'generate' }, 'instruction.missing', /for generate/u],
    ['generate along a control without a picture', { task: 'generate', control: { kind: 'canny' } }, 'request.invalid', /control map/u],
    [
      'padding beside a mask',
      { task: 'edit', source: 'a', mask: 'b', instruction: 'x', padded: true },
      'request.invalid',
      /whole picture/u,
    ],
    ['padding for a fill', { task: 'fill', source: 'a', mask: 'b', padded: true }, 'request.invalid', /whole picture/u],
    ['control without its kind', { task: 'control', source: 'a' }, 'request.invalid', /kind of control map/u],
  ])('refuse %s', (_what, input, code, sentence) => {
    expect(() => {
      opened.service.checkStream('edit.run', input);
    }).toThrow(expect.objectContaining({ code, message: expect.stringMatching(sentence) as string }) as Error);
  });

  it.each<[string, EditRequestInput]>([
    ['a padded edit', { task: 'edit', source: 'a', instruction: 'x', padded: true }],
    ['a fill without words', { task: 'fill', source: 'a', mask: 'b' }],
    ['a generation from a ready map', { task: 'generate', control: { kind: 'depth', map: 'm' } }],
    ['an expansion by one side', { task: 'expand', source: 'a', margins: { top: 1 } }],
  ])('accept %s', (_what, input) => {
    expect(() => {
      opened.service.checkStream('edit.run', input);
    }).not.toThrow();
  });
});

describe('a run', () => {
  it('gives the engine the pack and the bytes of every named picture', async () => {
    const { service, engine } = opened;
    const [source, mask, map] = await Promise.all(
      [1, 2, 3].map((side) => service.pictures.add(grayPng(side, side), `${String(side)}.png`)),
    );
    const control = { kind: 'canny', map: map?.id } as const;
    await collect(service.stream('edit.run', { task: 'fill', source: source?.id, mask: mask?.id, control }));
    const [job] = engine.jobs;
    expect(job?.pack.card.name).toBe('studio');
    expect(Object.keys(job?.pictures ?? {}).sort()).toEqual([source?.id, mask?.id, map?.id].sort());
  });

  it('gives the engine the pack whose depth estimator the control names', async () => {
    const { service, engine } = opened;
    const source = await service.pictures.add(grayPng(9, 9), 'dog.png');
    const wish = (estimator: string) => ({ task: 'control', source: source.id, control: { kind: 'depth', estimator } }) as const;
    await collect(service.stream('edit.run', wish('studio')));
    expect(engine.jobs[0]?.estimator?.card.name).toBe('studio');
    expect(await collect(service.stream('edit.run', wish('none')))).toMatchObject([{ type: 'failed', error: { code: 'pack.unknown' } }]);
  });

  it('keeps previews, candidates and changed masks for the host to fetch', async () => {
    const { service } = opened;
    const source = await service.pictures.add(grayPng(9, 9), 'dog.png');
    const events = await collect(service.stream('edit.run', { task: 'edit', source: source.id, instruction: 'x', count: 2 }));
    const candidates = events.flatMap((event) => (event.type === 'candidate' ? [event.candidate] : []));
    expect(candidates.map(({ index, seed }) => [index, seed])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const second = candidates[1];
    expect((await service.pictures.get(second?.picture ?? '')).name).toBe('dog-edit-2.png');
    expect((await service.pictures.get(second?.changedMask ?? '')).name).toBe('dog-edit-2-changed.png');
    const preview = events.find((event) => event.type === 'preview');
    expect((await service.pictures.get(preview?.picture ?? '')).bytes).toEqual(Buffer.from(grayPng(1, 1)));
  });

  it('of an unknown pack fails as an event', async () => {
    const events = await collect(opened.service.stream('edit.run', { task: 'generate', instruction: 'x', pack: 'none' }));
    expect(events).toMatchObject([{ type: 'failed', error: { code: 'pack.unknown' } }]);
  });

  it('is cancelled before its turn when nobody wants it any more', async () => {
    const events = await collect(opened.service.stream('edit.run', { task: 'generate', instruction: 'x' }, AbortSignal.abort()));
    expect(events.at(-1)).toEqual({ type: 'cancelled' });
  });

  it('shows logits to a probe and to nobody else', async () => {
    await opened.close();
    const logits = { type: 'logits', scale: 0, dims: [1, 1, 2], data: new Float32Array(2) } as const;
    const engine = fakeEngine();
    opened = await openTestService({
      ...engine,
      run: async function* (job, signal) {
        if (job.probe?.keepLogits === true) yield logits;
        yield* threeScales(job, signal);
      },
    });
    const input = { task: 'generate', instruction: 'x' } as const;
    const probed = await collect(opened.service.runProbed(input, { probe: { keepLogits: true, forceTokens: TOKENS } }));
    expect(probed[0]).toEqual(logits);
    expect(opened.engine.jobs[0]?.probe?.forceTokens).toEqual(TOKENS);
  });

  it('refuses forced tokens of another pack', async () => {
    const forceTokens = { ...TOKENS, pack: 'other' };
    const events = await collect(opened.service.runProbed({ task: 'generate', instruction: 'x' }, { probe: { forceTokens } }));
    expect(events).toMatchObject([{ type: 'failed', error: { code: 'tokens.invalid' } }]);
  });
});

describe('calls', () => {
  it('make tokens of a picture and a picture of tokens', async () => {
    const { service } = opened;
    const source = await service.pictures.add(grayPng(9, 9), 'dog.png');
    expect(await service.call('tokens.make', { pack: 'studio', source: source.id })).toEqual(TOKENS);
    expect(await service.call('tokens.decode', { tokens: TOKENS, format: 'png' })).toMatchObject({
      name: 'decoded.png',
      size: { width: 16, height: 16 },
    });
  });

  it('convert a picture into a new one', async () => {
    const { service } = opened;
    const source = await service.pictures.add(grayPng(9, 9), 'dog.jpg');
    const converted = await service.call('picture.convert', { id: source.id, format: 'png', quality: 90 });
    expect(converted).toMatchObject({ name: 'dog.png', size: { width: 5, height: 5 } });
    expect(converted.id).not.toBe(source.id);
  });

  it('tell in a saved picture how it came about, without its sources, even of a pack that is not here', async () => {
    const wishes: unknown[] = [];
    opened.engine.convert = (_picture, wish) => {
      wishes.push(wish);
      return Promise.resolve(grayPng(5, 5));
    };
    const { service } = opened;
    const { id } = await service.pictures.add(grayPng(9, 9), 'dog.jpg');
    const save = (pack: string) => {
      const request = { task: 'edit' as const, pack, instruction: '東京', control: { kind: 'canny' as const, strength: 0 }, count: 4 };
      return service.call('picture.convert', {
        id,
        format: 'png',
        quality: 90,
        keepLocation: false,
        recipe: { request, seed: 9, tokens: TOKENS },
      });
    };
    await save('studio');
    await save('elsewhere');
    const [here, away] = wishes as [{ recipe: FileRecipe; keepLocation: boolean }, { recipe: FileRecipe }];
    expect(here).toMatchObject({
      keepLocation: false,
      recipe: { scalebrush: 1, seed: 9, tokens: TOKENS, request: { instruction: '東京', seed: 9 } },
    });
    expect(here.recipe.pack.sha256).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/u)]);
    expect(here.recipe.request).not.toHaveProperty('count');
    expect(here.recipe.request).not.toHaveProperty('control');
    expect(away.recipe.pack).toEqual({ name: 'elsewhere', version: '', sha256: [] });
  });

  it('check words and forecast costs before anything is complete', async () => {
    const { service } = opened;
    const source = await service.pictures.add(grayPng(9, 9), 'dog.jpg');
    expect(await service.call('instruction.check', { pack: 'studio', instruction: 'red' })).toMatchObject({ known: true });
    expect((await service.call('edit.forecast', { task: 'edit', source: source.id })).best.ms).toBe(1);
  });
});
