import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NEVER_CANCELLED } from '#base/cancellation.js';
import type { ControlArConfig } from '#contract/pack-card.js';
import { openControlAr, type ControlArPredictor } from '#engine/networks/controlar/predictor.js';
import { rotaryOfGrid } from '#engine/networks/llamagen/rotary-grid.js';
import { codesIn } from '#engine/families/codes.js';
import { openVqganCoder } from '#engine/networks/vqgan.js';
import { encodeTokens } from '#engine/sampling/quantiser.js';
import { runRows, type RasterPlan } from '#engine/sampling/raster-loop.js';
import { Codebook } from '#engine/sampling/codebook.js';
import { RasterQuantiser } from '#engine/sampling/raster-quantiser.js';
import type { ScaleStep } from '#engine/sampling/scale-loop.js';
import type { PictureCoder } from '#engine/tensor/predictor.js';
import type { ControlArShape } from '#engine/families/controlar/networks.js';
import { recognise } from '#engine/families/recognise.js';
import { guide, guidancePerScale } from '#engine/sampling/guidance.js';
import { floats, type FloatTensor } from '#engine/tensor/tensor.js';
import { Weights } from '#engine/weights/handle.js';
import { openCheckpoint } from '#engine/weights/open.js';
import { Fixture, fixturesFolder, maxDifference } from '../support/fixtures.js';
import { OnnxRunner } from '../support/onnx-runner.js';

interface Manifest {
  readonly config: {
    readonly dim: number;
    readonly n_layer: number;
    readonly n_head: number;
    readonly vocab_size: number;
    readonly block_size: number;
    readonly cls_token_num: number;
    readonly caption_dim: number;
    readonly condition_type: ControlArConfig['control'];
  };
  readonly runs: Readonly<Record<string, { readonly cfg: number; readonly control_strength: number | null }>>;
}

const LOGIT_LIMIT = 5e-4;
/** Where the two best tokens are closer, either may win. */
const TOKEN_MARGIN = 1e-3;

const fixture = new Fixture(fixturesFolder(), 'controlar-tiny');

describe.skipIf(!fixture.exists)('ControlAR’s published code, compared with ours (needs the reference fixtures)', () => {
  const runner = new OnnxRunner();
  const manifest = fixture.exists ? (fixture.json('manifest.json') as Manifest) : { config: {}, runs: {} };
  let config: ControlArConfig;
  let predictor: ControlArPredictor;
  let text: FloatTensor;
  let features: FloatTensor;

  beforeAll(async () => {
    const { dim, n_layer, n_head, vocab_size, block_size, cls_token_num, caption_dim, condition_type } = (manifest as Manifest).config;
    const side = Math.sqrt(block_size);
    config = {
      depth: n_layer,
      width: dim,
      heads: n_head,
      entries: vocab_size,
      scales: Array.from({ length: side }, (): [number, number] => [1, side]),
      text: { kind: 'features', width: caption_dim, maxTokens: cls_token_num },
      control: condition_type,
      lateScales: 0,
    };
    predictor = await openControlAr(runner, Weights.of(await openCheckpoint(fixture.file('controlar.safetensors'))), config);
    text = withoutPadding(fixture.array('inputs/text.npy'), fixture.array('inputs/text_mask.npy').data);
    features = fixture.array('inputs/control_features.npy');
  });

  afterAll(() => predictor.release());

  it('turns tokens by the same angles', () => {
    const { cos, sin } = rotaryOfGrid([config.scales.length, config.scales.length], config.width / config.heads);
    const published = fixture.array('rotary.npy'); // (text + n, c/2, 2)
    const ours = Float32Array.from({ length: 2 * cos.data.length }, (_, i) => (i % 2 === 0 ? cos : sin).data[Math.floor(i / 2)]!);
    expect(maxDifference(ours, published.data.subarray(published.data.length - ours.length))).toBeLessThan(1e-5);
  });

  it.each(Object.entries(manifest.runs))('predicts the same tokens: %s', async (name, { cfg, control_strength: strength }) => {
    const array = (file: string) => fixture.array(`${name}/${file}.npy`);
    const held = strength === null ? { strength: 0 } : { features, strength };
    const control = await predictor.controlTokens({ ...held, strength: 1 });
    control?.forEach(({ data }, fusion) => {
      expect(maxDifference(data, array(`control_token_${fusion}`).data)).toBeLessThan(LOGIT_LIMIT);
    });
    const run = await predictor.begin({ text, guided: cfg !== 1, ...held });
    const [tokens, raw] = [array('tokens').data, array('logits_raw')];
    const size = raw.data.length / tokens.length;
    for (const [i, token] of tokens.entries()) {
      const logits = await run.next(i === 0 ? undefined : tokens[i - 1]);
      expect(maxDifference(logits.data, raw.data.subarray(i * size, (i + 1) * size)), `token ${i}`).toBeLessThan(LOGIT_LIMIT);
      const guided = guide(logits, cfg);
      const [best, second] = twoBest(guided);
      if (guided[best]! - guided[second]! > TOKEN_MARGIN) expect(best, `token ${i}`).toBe(token);
    }
  });
});

describe('DINOv2, decoding and LlamaGen’s tokenizer, compared with reference/controlar.py', () => {
  const mini = new Fixture('test/golden/controlar-mini');
  const array = (name: string) => mini.array(`${name}.npy`);
  const runner = new OnnxRunner();
  const side = 4;
  let predictor: ControlArPredictor;
  let coder: PictureCoder;
  let quantiser: RasterQuantiser;

  beforeAll(async () => {
    const transformer = await openCheckpoint(mini.file('canny_mini.pth'));
    const tokenizer = Weights.of(await openCheckpoint(mini.file('vq_mini.pt')));
    const { depth, width, heads, entries, textWidth, textTokens } = recognise(transformer).model as ControlArShape;
    const scales = Array.from({ length: side }, (): [number, number] => [1, side]);
    const text = { kind: 'features' as const, width: textWidth, maxTokens: textTokens };
    predictor = await openControlAr(runner, Weights.of(transformer), {
      depth,
      width,
      heads,
      entries,
      scales,
      text,
      control: 'canny',
      lateScales: 0,
    });
    coder = await openVqganCoder(runner, tokenizer, { attention: true });
    quantiser = new RasterQuantiser({ schedule: scales, codebook: Codebook.ofDirections(codesIn(tokenizer.at('quantize'))) });
  });

  afterAll(async () => {
    await predictor.release();
    await coder.release();
  });

  it('draws the same picture from words and a map of edges', async () => {
    const control = { map: array('control'), strength: 1, fromScale: 0, toScale: 63 };
    const text = { kind: 'features' as const, features: array('text') };
    const rows: ScaleStep[] = [];
    const plan = {
      predictor,
      quantiser,
      conditioning: { text, guided: true, control },
      sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
      guidance: guidancePerScale(4, side, 'constant'),
      given: [],
      until: side,
    };
    for await (const row of runRows(plan, NEVER_CANCELLED)) rows.push(row);
    expect(rows.flatMap(({ tokens }) => [...tokens])).toEqual([...array('tokens').data]);
    const published = array('logits'); // (n, B, V)
    const entries = published.dims[2]!;
    rows.forEach(({ logits, scale }) => {
      for (let column = 0; column < side; column++) {
        for (const b of [0, 1]) {
          const ours = logits.data.subarray((b * side + column) * entries, (b * side + column + 1) * entries);
          const start = ((scale * side + column) * 2 + b) * entries;
          expect(maxDifference(ours, published.data.subarray(start, start + entries))).toBeLessThan(LOGIT_LIMIT);
        }
      }
    });
    const { dims, data } = rows.at(-1)!.sum;
    expect(maxDifference((await coder.decode(floats([1, ...dims], data))).data, array('drawn').data)).toBeLessThan(1 / 255);
  });

  it('goes on from given rows as if it had drawn them, and draws others without control', async () => {
    const drawn = [...array('tokens').data];
    const given = [Uint16Array.from(drawn.slice(0, side))];
    const text = { kind: 'features' as const, features: array('text') };
    const plan = {
      predictor,
      quantiser,
      conditioning: { text, guided: true },
      sampling: { temperature: 0, topP: 1, topK: 0, seed: 0 },
      guidance: guidancePerScale(4, side, 'constant'),
      given,
      until: 2,
    };
    const rowsOf = async (changes: Partial<RasterPlan>) => {
      const rows: number[] = [];
      for await (const { tokens } of runRows({ ...plan, ...changes }, NEVER_CANCELLED)) rows.push(...tokens);
      return rows;
    };
    const control = { map: array('control'), strength: 1, fromScale: 0, toScale: 63 };
    expect(await rowsOf({ conditioning: { ...plan.conditioning, control } })).toEqual(drawn.slice(0, 2 * side));
    expect(await rowsOf({})).not.toEqual(drawn.slice(0, 2 * side));
  });

  it('tokenises a picture into the same codes', async () => {
    const features = await coder.encode(array('picture'));
    expect(maxDifference(features.data, array('encoded').data)).toBeLessThan(1e-4);
    const { tokens } = encodeTokens(quantiser, { ...features, dims: features.dims.slice(1) });
    expect(tokens.flatMap((row) => [...row])).toEqual([...array('nearest').data]);
  });
});

function withoutPadding({ dims: [rows = 0, width = 0], data }: FloatTensor, mask: Float32Array): FloatTensor {
  const valid = mask.reduce((sum, value) => sum + value, 0);
  return floats([valid, width], data.subarray((rows - valid) * width));
}

function twoBest(values: Float32Array): [best: number, second: number] {
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]!);
  return [order[0]!, order[1]!];
}
