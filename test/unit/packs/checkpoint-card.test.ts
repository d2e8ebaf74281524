import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import { AnyCard, isDrawingCard, PackCard } from '#contract/pack-card.js';
import type { InspectReport, ModelShape } from '#engine/door/engine.js';
import { packOfCheckpoints } from '#packs/checkpoint-card.js';

const d16 = {
  family: 'var',
  depth: 16,
  width: 1024,
  heads: 16,
  codeWidth: 32,
  entries: 4096,
  classes: 1000,
  levels: 10,
  positions: 680,
} as const;
const vae = { family: 'vector-tokenizer', depth: 5, width: 160, codeWidth: 32, entries: 4096 } as const;
const FILES = [
  { name: 'transformer.pth', role: 'transformer', bytes: 1, sha256: '0'.repeat(64) },
  { name: 'tokenizer.pth', role: 'tokenizer', bytes: 1, sha256: '0'.repeat(64) },
] as const;

type AnyShape = ModelShape & Readonly<Record<string, unknown>>;

function report(file: string, model: AnyShape | null): InspectReport {
  return {
    file,
    files: [file],
    format: 'torch',
    sizeBytes: 1,
    parameters: 1,
    model,
    reason: 'It is a text encoder.',
    licence: null,
    metadata: {},
    tensors: [],
  };
}

/** A card that must be of a pack that draws. */
function drawing(card: AnyCard): PackCard {
  if (!isDrawingCard(card)) throw new Error('Expected a pack that draws.');
  return card;
}

const cardOf = (model: AnyShape, name?: string) => {
  const reports = [report('/x/vae.pth', vae), report('/x/var_d16.pth', model)];
  return drawing(packOfCheckpoints({ reports, ...(name !== undefined && { name }) }).cardOf(FILES));
};

describe('a card for published VAR files', () => {
  test('says sizes, scales, presets and names, and is sound', () => {
    const card = cardOf(d16);
    expect(v.parse(PackCard, card)).toMatchObject({
      name: 'var-d16',
      title: 'VAR-d16',
      imageSize: 256,
      presets: { best: 16, balanced: 16, fast: 12, draft: 8 },
    });
    expect(card.config.transformer.scales.at(-1)).toEqual([16, 16]);
    expect(card.config.transformer.text).toMatchObject({ kind: 'classes' });
    expect(card.config.transformer.text).toMatchObject({ names: expect.objectContaining({ 207: 'golden retriever' }) as unknown });
  });

  test('knows the 512-pixel schedule, and takes another name', () => {
    expect(cardOf({ ...d16, depth: 36, positions: 2240 }, 'mine')).toMatchObject({ name: 'mine', imageSize: 512 });
  });

  test('classes without known names go by their numbers', () => {
    expect(cardOf({ ...d16, classes: 2 }).config.transformer.text).toEqual({ kind: 'classes', names: ['class 0', 'class 1'] });
  });

  test.each([
    ['unpublished scales', [report('a.pth', { ...d16, positions: 681 }), report('b.pth', vae)], /10 scales of 681 tokens/],
    ['two tokenizers', [report('a.pth', vae), report('b.pth', vae)], /vector-tokenizer, vector-tokenizer/],
    ['a transformer alone', [report('a.pth', d16)], /its tokenizer/],
    ['another codebook', [report('a.pth', d16), report('b.pth', { ...vae, entries: 1024 })], /4096 codes/],
    ['a stranger', [report('a.pth', d16), report('b.pth', null)], /b\.pth: It is a text encoder/],
  ])('%s are refused', (_, reports, reason) => {
    const make = () => packOfCheckpoints({ reports }).cardOf(FILES);
    expect(make).toThrow(ExpectedError);
    expect(make).toThrow(reason);
  });
});

describe('a card for a depth model', () => {
  const model = { family: 'depth', input: 'image', output: 'depth', external: [{ file: '/x/model.onnx_data', bytes: 9 }] } as const;

  test('says how it sees, keeps the names of its weights, and is sound', () => {
    const pack = packOfCheckpoints({ reports: [report('/x/depth_anything_v2_vits.onnx', model)] });
    expect(pack.sources.map(({ role, name }) => [role, name])).toEqual([
      ['depth', 'depth.onnx'],
      ['depth-weights', 'model.onnx_data'],
    ]);
    const card = v.parse(AnyCard, pack.cardOf(FILES));
    expect(card).toMatchObject({ name: 'depth-anything-v2-vits', family: 'depth', imageSize: 518, config: { depth: { near: 'high' } } });
  });

  test.each([
    ['depth_metric.onnx', 'low'],
    ['depth.onnx', 'high'],
  ])('%s has high numbers where it is near: %s', (file, near) => {
    expect(packOfCheckpoints({ reports: [report(file, model)] }).cardOf(FILES)).toMatchObject({ config: { depth: { near } } });
  });

  test.each([
    ['two at once', [report('a.onnx', model), report('b.onnx', model)], /one depth model and nothing else/],
    ['weights named as the card', [report('a.onnx', { ...model, external: [{ file: '/x/CARD.json', bytes: 1 }] })], /than CARD\.json/],
  ])('%s are refused', (_, reports, reason) => {
    expect(() => packOfCheckpoints({ reports })).toThrow(reason);
  });
});

describe('a card for published VAREdit files', () => {
  const transformer = { family: 'infinity', depth: 32, width: 2048, heads: 16, tokenBits: 32 } as const;
  const tokenizer = { family: 'bitwise-tokenizer', depth: 5, width: 128, heads: 0, tokenBits: 32 } as const;
  const t5 = { family: 't5-encoder', depth: 12, width: 2048 } as const;
  const textTokenizer = { path: '/x/tokenizer.json', bytes: 9 };
  const reports = [
    report('/x/2B-512.pth', transformer),
    report('/x/vae.pth', tokenizer),
    report('/x/a.safetensors', t5),
    report('/x/b.safetensors', t5),
  ];

  test('takes an encoder in several files, and is sound', () => {
    const pack = packOfCheckpoints({ reports, textTokenizer });
    expect(pack.sources.map(({ role }) => role)).toEqual(['transformer', 'tokenizer', 'text', 'text', 'text-tokenizer']);
    const card = v.parse(PackCard, pack.cardOf(FILES));
    expect(card).toMatchObject({ name: '2b-512', imageSize: 512, config: { transformer: { patchify: 1 }, tokenizer: { downsample: 16 } } });
    expect(card.config.transformer.scales).toHaveLength(10);
  });

  test.each([
    ['/x/2B-512.pth', undefined, 'VAREdit', 512, true],
    ['/x/infinity_2b_reg.pth', undefined, 'Infinity', 1024, false],
    ['/x/infinity_2b_reg.pth', 'edit', 'VAREdit', 512, true],
    ['/x/mine.pth', 'generate', 'Infinity', 1024, false],
  ] as const)('tells editing from drawing by %s and --task %s', (file, task, title, imageSize, source) => {
    const named = [report(file, transformer), ...reports.slice(1)];
    const pack = packOfCheckpoints({ reports: named, textTokenizer, task });
    const card = v.parse(PackCard, pack.cardOf(FILES));
    expect(card).toMatchObject({ title: `${title}, 32 layers`, imageSize, config: { transformer: { source } } });
    expect(pack.taken).toEqual({ task: source ? 'edit' : 'generate', pixels: { side: imageSize, sides: [256, 512, 1024] } });
  });

  test('an 8B-style tokenizer of a quarter of the bits is patchified; the side may be said', () => {
    const patched = [
      report('/x/8B-1024.pth', { ...transformer, tokenBits: 56 }),
      report('/x/v.pth', { ...tokenizer, depth: 4, tokenBits: 14 }),
      reports[2]!,
    ];
    const card = drawing(packOfCheckpoints({ reports: patched, textTokenizer, pixels: 1024 }).cardOf(FILES));
    expect(card).toMatchObject({ imageSize: 1024, config: { transformer: { patchify: 2 }, tokenizer: { codeBits: 14, downsample: 8 } } });
    expect(card.config.transformer.scales.at(-1)).toEqual([64, 64]);
  });

  test.each([
    ['no tokenizer.json', { reports }, /no tokenizer\.json/],
    ['no text encoder', { reports: reports.slice(0, 2), textTokenizer }, /the T5 encoder/],
    [
      'a tokenizer of other bits',
      { reports: [reports[0]!, report('v', { ...tokenizer, tokenBits: 20 }), reports[2]!], textTokenizer },
      /32 bits/,
    ],
  ])('%s is refused', (_, files, reason) => {
    expect(() => packOfCheckpoints(files).cardOf(FILES)).toThrow(reason);
  });
});

test('what a family leaves open, only its own files do: NAR its size, VAR nothing', () => {
  const nar = { family: 'nar', depth: 4, width: 64, heads: 2, entries: 16_384, textTokens: 120, textWidth: 2048 } as const;
  const raster = { family: 'raster-tokenizer', depth: 5, width: 128, codeWidth: 8, entries: 16_384 } as const;
  const t5 = { family: 't5-encoder', depth: 12, width: 2048 } as const;
  const reports = [report('/x/t2i_XL_stage1_256.pt', nar), report('/x/vq.pt', raster), report('/x/t5.safetensors', t5)];
  const pack = packOfCheckpoints({ reports, textTokenizer: { path: '/x/tokenizer.json', bytes: 9 } });
  expect(pack.taken).toEqual({ pixels: { side: 256, sides: [256, 512] } });
  expect(packOfCheckpoints({ reports: [report('/x/vae.pth', vae), report('/x/var_d16.pth', d16)] }).taken).toBeUndefined();
});
