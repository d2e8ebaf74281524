#!/usr/bin/env bash
# ONNX Runtime, WebGPU: MultiHeadAttention is wrong, without a word, from 32 queries on.
#
# Version: onnxruntime-node 1.30.0 (linux-x64, WebGPU provider), Node 20.20, Debian 12, SwiftShader of Debian's chromium 156.
# Seen on 2026-11-30, with com.microsoft.MultiHeadAttention in float32, 4 heads of 32 numbers, one row, 64 keys, no bias and no past,
# against the same sum in double precision:
#   - The CPU provider is right to 1e-5 for any number of queries, and so is WebGPU up to 31.
#   - Of 32 queries and more WebGPU gives other numbers: off by .4 to .7 where the values spread over 1, and nothing is said.
#     Heads of 64 numbers, 16 to 300 keys and 32 to 128 queries are off as well.
# From 32 queries on the operator takes another shader (flash attention), which shares its work out among the lanes of a subgroup;
# SwiftShader has four of them. Devices with more lanes were not at hand. A MatMul, a Softmax and a MatMul are right on all sides:
# whoever must be exact builds attention of these.
#
# Exits 0 while this is so, 1 when it has changed, 2 where there is no WebGPU device (Debian: apt-get install chromium).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" onnxruntime-node@1.30.0 >/dev/null

cat >attention.cjs <<'JS'
// An ONNX model of one node, written by hand: fields of protobuf, as numbers and strings.
const ort = require('onnxruntime-node');
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >> 7)] : [n]);
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, content) => bytes(field, [...Buffer.from(content)]);
const number = (field, n) => [...varint(field << 3), ...varint(n)];
const float = (field, x) => [...varint((field << 3) | 5), ...Buffer.from(Float32Array.of(x).buffer)];
const dims = (name) => [0, 1, 2].flatMap((axis) => bytes(1, text(2, `${name}${axis}`)));
const value = (name) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, dims(name))]))];
const [heads, width, keys] = [4, 32, 64];
const attributes = [...bytes(5, [...text(1, 'num_heads'), ...number(3, heads), ...number(20, 2)]), ...bytes(5, [...text(1, 'scale'), ...float(2, 1), ...number(20, 1)])];
const names = ['q', 'k', 'v'];
const node = [...names.flatMap((name) => text(1, name)), ...text(2, 'y'), ...text(4, 'MultiHeadAttention'), ...text(7, 'com.microsoft'), ...attributes];
const graph = [...bytes(1, node), ...text(2, 'g'), ...names.flatMap((name) => bytes(11, value(name))), ...bytes(12, value('y'))];
const model = Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17)), ...bytes(8, [...text(1, 'com.microsoft'), ...number(2, 1)])]);

let state = 7;
const random = () => Math.sqrt(12) * ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) / 2 ** 32 - 0.5);
const tensor = (rows) => new ort.Tensor('float32', Float32Array.from({ length: rows * heads * width }, random), [1, rows, heads * width]);

function attended({ q, k, v }) {
  const [queries, all] = [q.dims[1], heads * width];
  const y = new Float64Array(queries * all);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < queries; i++) {
      const at = (tensor, row, x) => tensor.data[row * all + head * width + x];
      const scores = Array.from({ length: keys }, (_, j) => Array.from({ length: width }, (_, x) => at(q, i, x) * at(k, j, x)).reduce((a, b) => a + b));
      const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
      const whole = weights.reduce((a, b) => a + b);
      for (let x = 0; x < width; x++) y[i * all + head * width + x] = weights.reduce((sum, weight, j) => sum + (weight / whole) * at(v, j, x), 0);
    }
  }
  return y;
}

(async () => {
  for (const provider of ['cpu', 'webgpu']) {
    const session = await ort.InferenceSession.create(model, { executionProviders: [provider], logSeverityLevel: 4 }).catch(() => process.exit(2));
    for (const queries of [31, 32]) {
      state = 7;
      const feeds = { q: tensor(queries), k: tensor(keys), v: tensor(keys) };
      const wanted = attended(feeds);
      const { y } = await session.run(feeds);
      const off = y.data.reduce((most, x, i) => Math.max(most, Math.abs(x - wanted[i])), 0);
      console.log(provider, queries, off < 1e-4 ? 'right' : off > 0.1 ? 'off by more than .1' : off);
    }
  }
})();
JS

rasteriser=/usr/lib/chromium/vk_swiftshader_icd.json
[ -f "$rasteriser" ] && export VK_ICD_FILENAMES="${VK_ICD_FILENAMES:-$rasteriser}"
seen=$(ORT_DISABLE_TELEMETRY=1 node attention.cjs 2>/dev/null) || { echo 'no WebGPU device here'; exit 2; }
expected='cpu 31 right
cpu 32 right
webgpu 31 right
webgpu 32 off by more than .1'
printf '%s\n' "$seen"
if [ "$seen" = "$expected" ]; then echo 'as described'; else echo 'CHANGED'; exit 1; fi
