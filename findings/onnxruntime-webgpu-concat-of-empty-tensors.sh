#!/usr/bin/env bash
# ONNX Runtime, WebGPU: Concat fails where many of its inputs, one after the other, are empty.
#
# Version: onnxruntime-node 1.30.0 (linux-x64, WebGPU provider), Node 20.20, Debian 12, SwiftShader of Debian's chromium 156.
# Seen on 2026-11-28, with Concat along axis 0 of n inputs [N, 1], the first of which has rows and the others none, as the
# cache of a model has that begins empty:
#   - the CPU provider joins any number; WebGPU joins a few, but fails from some number on that depends on the device:
#     "number of element of uniform variable must be greater than 0".
#   - With the last input filled instead of the first, so that every step of its loop has something to join, fifteen in
#     groups of six plus what is joined already work.
# It joins as many inputs at a time as a shader may bind buffers, and where all of those are empty the step itself fails.
#
# Exits 0 while this is so, 1 when it has changed, 2 where there is no WebGPU device (Debian: apt-get install chromium).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" onnxruntime-node@1.30.0 >/dev/null

cat >concat.cjs <<'JS'
// An ONNX model of Concat, written by hand: fields of protobuf, as numbers and strings.
const ort = require('onnxruntime-node');
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >> 7)] : [n]);
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, content) => bytes(field, [...Buffer.from(content)]);
const number = (field, n) => [...varint(field << 3), ...varint(n)];
const dim = (content) => bytes(1, content);
const value = (name) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, [...dim(text(2, 'N')), ...dim(number(1, 1))])]))];
const axis = bytes(5, [...text(1, 'axis'), ...number(3, 0), ...number(20, 2)]);
const concat = (inputs, output) => bytes(1, [...inputs.flatMap((name) => text(1, name)), ...text(2, output), ...text(4, 'Concat'), ...axis]);
const modelOf = (nodes, names) => {
  const graph = [...nodes, ...text(2, 'g'), ...names.flatMap((name) => bytes(11, value(name))), ...bytes(12, value('y'))];
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
};
const names = (count) => Array.from({ length: count }, (_, i) => `x${i}`);
const feedsOf = (all, filled) =>
  Object.fromEntries(all.map((name) => [name, new ort.Tensor('float32', new Float32Array(name === filled ? 2 : 0).fill(5), [name === filled ? 2 : 0, 1])]));

async function said(provider, nodes, { all, filled }) {
  const options = { executionProviders: [provider], logSeverityLevel: 4 };
  const session = await ort.InferenceSession.create(modelOf(nodes, all), options).catch(() => process.exit(2));
  return session.run(feedsOf(all, filled)).then(({ y }) => `[${y.dims}] of ${y.data[0]}`, ({ message }) => message.split(') ').at(-1).split('length > 0 was false. ').at(-1).trim());
}

(async () => {
  const many = names(64);
  for (const provider of ['cpu', 'webgpu']) console.log(provider, await said(provider, concat(many, 'y'), { all: many, filled: 'x0' }));
  const few = names(15);
  const groups = [...concat([...few.slice(9, 14), 'x14'], 'a'), ...concat([...few.slice(3, 9), 'a'], 'b'), ...concat([...few.slice(0, 3), 'b'], 'y')];
  console.log('in groups', await said('webgpu', groups, { all: few, filled: 'x14' }));
})();
JS

rasteriser=/usr/lib/chromium/vk_swiftshader_icd.json
[ -f "$rasteriser" ] && export VK_ICD_FILENAMES="${VK_ICD_FILENAMES:-$rasteriser}"
seen=$(ORT_DISABLE_TELEMETRY=1 node concat.cjs 2>/dev/null) || { echo 'no WebGPU device here'; exit 2; }
expected='cpu [2,1] of 5
webgpu number of element of uniform variable must be greater than 0
in groups [2,1] of 5'
printf '%s\n' "$seen"
if [ "$seen" = "$expected" ]; then echo 'as described'; else echo 'CHANGED'; exit 1; fi
