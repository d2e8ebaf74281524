// node test/bench/random-checkpoint.mjs 2b|8b FOLDER [LAYERS]: VAREdit's three weights files in their published layout and true
// sizes, filled with random bfloat16, and a tokenizer.json. Written in pieces: 7 GB (2b) or 20 GB (8b) of disk, little memory.
// With LAYERS the transformer has only so many, and the encoder of text at most as many: the same memory a layer, in minutes.
import { copyFileSync, closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';

const SIZES = {
  '2b': { depth: 32, chunks: 8, width: 2048, heads: 16, tokenBits: 32, codeBits: 32, multipliers: [1, 2, 4, 4, 4] },
  '8b': { depth: 40, chunks: 8, width: 3584, heads: 28, tokenBits: 56, codeBits: 14, multipliers: [1, 2, 4, 4] },
};
const T5 = { depth: 24, width: 2048, hidden: 5120, heads: 32, headWidth: 64, words: 32_128 };
const TEXT_TOKENS = 512;

const affine = (name, outputs, inputs) => ({ [`${name}.weight`]: [outputs, inputs], [`${name}.bias`]: [outputs] });
const convolution = (name, outputs, inputs, side = 3) => ({
  [`${name}.weight`]: [outputs, inputs, side, side],
  [`${name}.bias`]: [outputs],
});
const norm = (name, channels) => ({ [`${name}.weight`]: [channels], [`${name}.bias`]: [channels] });

function transformer({ depth, chunks, width: c, heads, tokenBits }) {
  const poolWidth = c / (c > 4096 ? T5.width / 64 : T5.width / 128);
  const tensors = {
    cfg_uncond: [TEXT_TOKENS, T5.width],
    pos_start: [1, 1, c],
    'text_norm.weight': [T5.width],
    'text_proj_for_sos.ca.mat_q': [1, c / poolWidth, poolWidth],
    'text_proj_for_sos.ca.v_bias': [c],
    'text_proj_for_sos.ca.zero_k_bias': [c],
    'text_proj_for_sos.ca.mat_kv.weight': [2 * c, T5.width],
    ...affine('text_proj_for_sos.ca.proj', c, c),
    ...affine('text_proj_for_ca.0', c, T5.width),
    ...affine('text_proj_for_ca.2', c, c),
    'lvl_embed.weight': [15, c],
    ...affine('word_embed', c, tokenBits),
    ...affine('shared_ada_lin.1', 6 * c, c),
    ...affine('head_nm.ada_lin.1', 2 * c, c),
    ...affine('head', 2 * tokenBits, c),
  };
  for (let i = 0; i < depth; i++) {
    const perChunk = Math.ceil(depth / chunks);
    const block = `block_chunks.${Math.floor(i / perChunk)}.module.${i % perChunk}`;
    Object.assign(tensors, {
      [`${block}.ada_gss`]: [1, 1, 6, c],
      [`${block}.sa.scale_mul_1H11`]: [1, heads, 1, 1],
      ...Object.fromEntries(['sa.q_bias', 'sa.v_bias', 'sa.zero_k_bias', 'ca.v_bias', 'ca.zero_k_bias'].map((n) => [`${block}.${n}`, [c]])),
      [`${block}.sa.mat_qkv.weight`]: [3 * c, c],
      ...affine(`${block}.sa.proj`, c, c),
      ...affine(`${block}.ca.mat_q`, c, c),
      [`${block}.ca.mat_kv.weight`]: [2 * c, c],
      ...affine(`${block}.ca.proj`, c, c),
      ...affine(`${block}.ffn.fc1`, 4 * c, c),
      ...affine(`${block}.ffn.fc2`, c, 4 * c),
      ...norm(`${block}.ca_norm`, c),
    });
  }
  return tensors;
}

const BASE = 128;

function residual(name, outputs, inputs) {
  return {
    ...norm(`${name}.norm1`, inputs),
    ...convolution(`${name}.conv1`, outputs, inputs),
    ...norm(`${name}.norm2`, outputs),
    ...convolution(`${name}.conv2`, outputs, outputs),
    ...(outputs !== inputs && convolution(`${name}.nin_shortcut`, outputs, inputs, 1)),
  };
}

function tokenizer({ codeBits, multipliers }) {
  const widths = multipliers.map((factor) => factor * BASE);
  const top = widths.at(-1);
  const tensors = { ...convolution('encoder.conv_in', BASE, 3) };
  widths.forEach((width, level) => {
    for (let i = 0; i < 2; i++)
      Object.assign(tensors, residual(`encoder.down.${level}.block.${i}`, width, i > 0 ? width : (widths[level - 1] ?? BASE)));
    if (level < widths.length - 1) Object.assign(tensors, convolution(`encoder.down.${level}.downsample.conv`, width, width));
  });
  for (const half of ['encoder', 'decoder']) for (const i of [1, 2]) Object.assign(tensors, residual(`${half}.mid.block_${i}`, top, top));
  Object.assign(tensors, norm('encoder.norm_out', top), convolution('encoder.conv_out', codeBits, top));
  Object.assign(tensors, convolution('decoder.conv_in', top, codeBits));
  widths.forEach((width, level) => {
    for (let i = 0; i < 3; i++)
      Object.assign(tensors, residual(`decoder.up.${level}.block.${i}`, width, i > 0 ? width : (widths[level + 1] ?? top)));
    if (level > 0) Object.assign(tensors, convolution(`decoder.up.${level}.upsample.conv`, width, width));
  });
  return { ...tensors, ...norm('decoder.norm_out', BASE), ...convolution('decoder.conv_out', 3, BASE) };
}

function textEncoder(depth) {
  const inner = T5.heads * T5.headWidth;
  const tensors = { 'shared.weight': [T5.words, T5.width], 'encoder.final_layer_norm.weight': [T5.width] };
  for (let i = 0; i < depth; i++) {
    const [attention, feedForward] = [0, 1].map((layer) => `encoder.block.${i}.layer.${layer}`);
    for (const name of ['q', 'k', 'v']) tensors[`${attention}.SelfAttention.${name}.weight`] = [inner, T5.width];
    tensors[`${attention}.SelfAttention.o.weight`] = [T5.width, inner];
    if (i === 0) tensors[`${attention}.SelfAttention.relative_attention_bias.weight`] = [32, T5.heads];
    tensors[`${attention}.layer_norm.weight`] = [T5.width];
    for (const name of ['wi_0', 'wi_1']) tensors[`${feedForward}.DenseReluDense.${name}.weight`] = [T5.hidden, T5.width];
    tensors[`${feedForward}.DenseReluDense.wo.weight`] = [T5.width, T5.hidden];
    tensors[`${feedForward}.layer_norm.weight`] = [T5.width];
  }
  return tensors;
}

/** Uniform in ±0.03, as bfloat16; every tensor takes its values from another place of it. */
function dice() {
  const floats = Float32Array.from({ length: 2 ** 24 + 4099 }, () => 0.06 * (Math.random() - 0.5));
  const words = new Uint16Array(floats.buffer);
  return new Uint8Array(Uint16Array.from(floats, (_, i) => words[2 * i + 1]).buffer);
}

const random = dice();

function write(file, tensors) {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((product, side) => product * side, 2);
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.write(json, 8);
  const target = openSync(file, 'w');
  writeSync(target, header);
  for (let done = 0; done < end;) done += writeSync(target, random, 0, Math.min(random.length, end - done));
  closeSync(target);
  console.log(`${file}: ${(end / 1e9).toFixed(2)} GB, ${entries.length} tensors`);
}

const [size, folder, layers] = process.argv.slice(2);
if (!(size in SIZES) || !folder) throw new Error('Expected 2b or 8b and a folder.');
const full = SIZES[size];
const depth = layers === undefined ? full.depth : Number(layers);
if (!(Number.isInteger(depth) && depth > 0 && depth <= full.depth))
  throw new Error(`Expected 1 to ${full.depth} layers but received ${layers}.`);
mkdirSync(folder, { recursive: true });
write(path.join(folder, `${size}-512.safetensors`), transformer({ ...full, depth, chunks: Math.min(full.chunks, depth) }));
write(path.join(folder, 'tokenizer.safetensors'), tokenizer(full));
write(path.join(folder, 't5.safetensors'), textEncoder(Math.min(T5.depth, depth)));
copyFileSync(path.join(import.meta.dirname, '../golden/t5-mini/tokenizer.json'), path.join(folder, 'tokenizer.json'));
