import { describe, expect, it } from 'vitest';

import type { CheckpointSummary } from '#engine/families/inspect.js';
import { inspectFile } from '#engine/families/inspect.js';

import { dict, pickle, tensor } from '../weights/support/pickle-writer.js';
import { counting, safetensors } from '../weights/support/safetensors-writer.js';
import { TemporaryFiles } from '../weights/support/temporary-files.js';
import { torchFile } from '../weights/support/torch-writer.js';
import { stopwatch } from '../../../support/processor-time.js';

const files = new TemporaryFiles();
type Shapes = Readonly<Record<string, readonly number[]>>;

// C = 6, H = 2, D = 4
const OUTSIDE: Shapes = {
  'word_embed.weight': [6, 4],
  'head.weight': [8, 6],
  pos_start: [1, 1, 6],
  'shared_ada_lin.1.weight': [36, 6],
  'head_nm.ada_lin.1.weight': [12, 6],
  'word_embed.bias': [6],
  'head.bias': [8],
  'shared_ada_lin.1.bias': [36],
  'head_nm.ada_lin.1.bias': [12],
  'lvl_embed.weight': [15, 6],
  cfg_uncond: [3, 8],
  'text_norm.weight': [8],
  'text_proj_for_ca.0.weight': [6, 8],
  'text_proj_for_ca.0.bias': [6],
  'text_proj_for_ca.2.weight': [6, 6],
  'text_proj_for_ca.2.bias': [6],
  'text_proj_for_sos.ca.mat_q': [1, 2, 3],
  'text_proj_for_sos.ca.mat_kv.weight': [12, 8],
  'text_proj_for_sos.ca.v_bias': [6],
  'text_proj_for_sos.ca.proj.weight': [6, 6],
  'text_proj_for_sos.ca.proj.bias': [6],
};
const BLOCK: Shapes = {
  ada_gss: [1, 1, 6, 6],
  'sa.scale_mul_1H11': [1, 2, 1, 1],
  'sa.mat_qkv.weight': [18, 6],
  'ca.mat_kv.weight': [12, 6],
  'ffn.fc1.weight': [24, 6],
  'ffn.fc2.weight': [6, 24],
  'sa.q_bias': [6],
  'sa.v_bias': [6],
  'sa.proj.weight': [6, 6],
  'sa.proj.bias': [6],
  'ca_norm.weight': [6],
  'ca_norm.bias': [6],
  'ca.v_bias': [6],
  'ca.mat_q.weight': [6, 6],
  'ca.mat_q.bias': [6],
  'ca.proj.weight': [6, 6],
  'ca.proj.bias': [6],
  'ffn.fc1.bias': [24],
  'ffn.fc2.bias': [6],
};

/** Of a NAR transformer all but its layers. */
function nar(): Shapes {
  return {
    'tok_embeddings.weight': [12, 8],
    'output.weight': [12, 8],
    'medusa_output.weight': [12, 8],
    'norm.weight': [8],
    'medusa_norm.weight': [8],
    'cls_embedding.uncond_embedding': [4, 16],
    'cls_embedding.cap_proj.fc1.weight': [8, 16],
    'cls_embedding.cap_proj.fc2.weight': [8, 8],
  };
}

describe('inspectFile', () => {
  it('reads the sizes of a transformer from its shapes, in chunks or in one piece', async () => {
    const model = { family: 'infinity', depth: 4, width: 6, heads: 2, tokenBits: 4 };
    const chunked = {
      ...OUTSIDE,
      ...block('block_chunks.0.module.0'),
      ...block('block_chunks.0.module.1'),
      ...block('block_chunks.1.module.0'),
      ...block('block_chunks.1.module.1'),
    };
    expect(await inspect(chunked)).toMatchObject({ model });
    const whole = { ...OUTSIDE, ...block('blocks.0'), ...block('blocks.1'), ...block('blocks.2'), ...block('blocks.3') };
    expect(await inspect(whole)).toMatchObject({ model });
  });

  it.each(['', '.conv'])('reads the sizes of a tokenizer whose names have the infix "%s"', async (infix) => {
    const shapes = tokenizer(infix);
    expect(await inspect(shapes)).toMatchObject({ model: { family: 'bitwise-tokenizer', depth: 2, width: 8, heads: 0, tokenBits: 5 } });
    const wrong = { ...shapes, [`decoder.conv_in${infix}.weight`]: [16, 4, 3, 3] };
    expect(await inspect(wrong)).toMatchObject({
      model: null,
      reason: expect.stringContaining(`[16, 5, 3, 3] for decoder.conv_in${infix}.weight`) as unknown,
    });
  });

  it.each<[what: string, shapes: Shapes, reason: RegExp]>([
    ['a missing key', without(full(), 'block_chunks.0.module.1.ffn.fc2.weight'), /block_chunks\.0\.module\.1\.ffn\.fc2\.weight .* missing/],
    ['a block left out', without(full(), 'block_chunks.0.module.0'), /block_chunks\.0\.module\.0\.sa\.scale_mul_1H11 .* missing/],
    ['a misshapen head', { ...full(), 'head.weight': [7, 6] }, /Expected \[8, 6\] for head\.weight .* received \[7, 6\]/],
    [
      'a block of another width',
      { ...full(), 'block_chunks.0.module.1.sa.mat_qkv.weight': [21, 7] },
      /Expected \[18, 6\] for block_chunks\.0\.module\.1\.sa\.mat_qkv\.weight/,
    ],
    ['a VAR transformer that lacks its head', { 'word_embed.weight': [6, 4], 'blocks.0.attn.mat_qkv.weight': [18, 6] }, /head\.weight/],
    ['a VAR tokenizer that lacks a convolution', { 'quantize.embedding.weight': [8, 4] }, /\bquant_conv\.weight/],
    ['a NAR transformer that lacks its layers', nar(), /at least 2 transformer layers/],
    [
      'a NAR transformer with a misshapen head',
      { ...nar(), 'layers.0.a': [1], 'layers.1.a': [1], 'medusa_output.weight': [11, 8] },
      /Expected \[12, 8\] for medusa_output\.weight .*received \[11, 8\]/,
    ],
    ['a NAR transformer of classes', { ...nar(), 'cls_embedding.embedding_table.weight': [1001, 8] }, /NAR model of named classes/],
    ['a LlamaGen transformer', { 'cls_embedding.uncond_embedding': [4, 16] }, /LlamaGen model without control/],
    ['something else', { weight: [2, 2] }, /received other names/],
  ])('says why it does not know %s', async (_, shapes, reason) => {
    const summary = await inspect(shapes);
    expect(summary.model).toBeNull();
    expect(summary.reason).toMatch(reason);
  });

  it('names the way out where the network lies under a name that nobody knows, and none is said where there is none', async () => {
    const nested = Object.fromEntries(Object.entries(full()).map(([name, shape]) => [`mine.${name}`, shape]));
    const { reason } = await inspect({ ...nested, 'other.w': [2] });
    expect(reason).toMatch(/begin with "mine\." \(\d+\), "other\." \(1\)\. .* torch\.save\(state\["mine"\], "model\.pth"\)/);
    expect((await inspect({ weight: [2, 2] })).reason).toMatch(/other names\.$/);
  });

  it('knows a network among what a trainer keeps, and says what was left out', async () => {
    const under = (prefix: string) => Object.fromEntries(Object.entries(full()).map(([name, shape]) => [`${prefix}.${name}`, shape]));
    const summary = await inspect({ ...under('model'), ...under('ema'), step: [1], 'optimizer.state.0.exp_avg': [6, 6] });
    expect(summary).toMatchObject({ model: { family: 'infinity' }, metadata: { stripped: 'ema.', ignored: 'model step optimizer' } });
  });

  it('lists tensors, parameters, size, licence and metadata', async () => {
    const header =
      '{"__metadata__":{"license":"MIT","by":"us"},"b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}';
    const summary = await inspectFile(files.write(safetensors(header, 14)));
    expect(summary).toMatchObject({
      format: 'safetensors',
      parameters: 5,
      sizeBytes: 8 + header.length + 14,
      licence: 'MIT',
      metadata: { by: 'us' },
    });
    expect(summary.tensors).toEqual([
      { name: 'b', dtype: 'float16', shape: [3] },
      { name: 'a', dtype: 'float32', shape: [2, 1] },
    ]);
  });

  it('counts tied weights once', async () => {
    const tied = dict({ a: tensor(), b: tensor(), c: tensor({ offset: 1, shape: [3] }), d: tensor({ key: '1' }) });
    const summary = await inspectFile(files.write(torchFile(pickle(tied), { storages: { '0': counting(16), '1': counting(16) } })));
    expect(summary.parameters).toBe(8);
    expect(summary.licence).toBeNull();
  });

  it('stays quick for 10⁵ blocks of nothing', async () => {
    const names = Array.from(
      { length: 99_000 },
      (_, i) => `"block_chunks.${String(i)}.module.0.x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`,
    );
    const path = files.write(safetensors(`{"word_embed.weight":{"dtype":"U8","shape":[0,0],"data_offsets":[0,0]},${names.join(',')}}`));
    const spentMs = stopwatch();
    expect((await inspectFile(path)).model).toBeNull();
    expect(spentMs()).toBeLessThan(3_000);
  });
});

function block(path: string): Shapes {
  return Object.fromEntries(Object.entries(BLOCK).map(([name, shape]) => [`${path}.${name}`, shape]));
}

function full(): Shapes {
  return { ...OUTSIDE, ...block('block_chunks.0.module.0'), ...block('block_chunks.0.module.1') };
}

function without(shapes: Shapes, prefix: string): Shapes {
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => !name.startsWith(prefix)));
}

/** Two resolutions of one block each, 8 and 16 wide, around codes of 5 bits. */
function tokenizer(infix: string): Shapes {
  const conv = (name: string, outputs: number, inputs: number, side = 3): Shapes => ({
    [`${name}${infix}.weight`]: [outputs, inputs, side, side],
    [`${name}${infix}.bias`]: [outputs],
  });
  const norm = (name: string, width: number): Shapes => ({ [`${name}.weight`]: [width], [`${name}.bias`]: [width] });
  const residual = (name: string, inputs: number, outputs: number): Shapes => ({
    ...norm(`${name}.norm1`, inputs),
    ...conv(`${name}.conv1`, outputs, inputs),
    ...norm(`${name}.norm2`, outputs),
    ...conv(`${name}.conv2`, outputs, outputs),
    ...(inputs !== outputs && conv(`${name}.nin_shortcut`, outputs, inputs, 1)),
  });
  const middle = (half: string): Shapes => ({ ...residual(`${half}.mid.block_1`, 16, 16), ...residual(`${half}.mid.block_2`, 16, 16) });
  return {
    ...conv('encoder.conv_in', 8, 3),
    ...residual('encoder.down.0.block.0', 8, 8),
    [`encoder.down.0.downsample.conv.weight`]: [8, 8, 3, 3],
    [`encoder.down.0.downsample.conv.bias`]: [8],
    ...residual('encoder.down.1.block.0', 8, 16),
    ...{ ...middle('encoder'), ...norm('encoder.norm_out', 16), ...conv('encoder.conv_out', 5, 16) },
    ...{ ...conv('decoder.conv_in', 16, 5), ...middle('decoder') },
    ...residual('decoder.up.1.block.0', 16, 16),
    [`decoder.up.1.upsample.conv.weight`]: [16, 16, 3, 3],
    [`decoder.up.1.upsample.conv.bias`]: [16],
    ...residual('decoder.up.0.block.0', 16, 8),
    ...{ ...norm('decoder.norm_out', 8), ...conv('decoder.conv_out', 3, 8) },
  };
}

/** A file of bytes in these shapes, inspected. */
function inspect(shapes: Shapes): Promise<CheckpointSummary> {
  let end = 0;
  const header = Object.entries(shapes).map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((product, dim) => product * dim, 1);
    return [name, { dtype: 'U8', shape, data_offsets: [begin, end] }];
  });
  return inspectFile(files.write(safetensors(JSON.stringify(Object.fromEntries(header)), end)));
}
