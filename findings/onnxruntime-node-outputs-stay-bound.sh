#!/usr/bin/env bash
# onnxruntime-node, WebGPU: a session with outputs that stay on the device cannot be asked for fewer outputs than before.
#
# Version: onnxruntime-node 1.30.0 (linux-x64, WebGPU provider), Node 20.20, Debian 12, SwiftShader of Debian's chromium 156.
# Seen on 2026-11-28, with a model of two outputs, a = -x and b = |x|, opened with
# `preferredOutputLocation: { a: 'gpu-buffer', b: 'cpu' }`:
#   - run(feeds, ['a', 'b']) works; run(feeds, ['b']) after it is refused: "Output count mismatch." So is every other call
#     but those that ask for both.
#   - Asked for b alone from the start, b comes on the device: locations are taken by an output's place among those that were
#     asked for, not by its name.
#   - Opened without `preferredOutputLocation`, or with 'cpu', the session gives whatever is asked for.
# The session binds its outputs (IoBinding) and never lets go of one. The type declarations call the fetches of `run` a free
# choice of each call. Whoever keeps outputs on the device has to ask for all of them, always.
#
# Exits 0 while this is so, 1 when it has changed, 2 where there is no WebGPU device (Debian: apt-get install chromium).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" onnxruntime-node@1.30.0 >/dev/null

cat >outputs.cjs <<'JS'
// An ONNX model of two nodes, written by hand: fields of protobuf, as numbers and strings.
const ort = require('onnxruntime-node');
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >> 7)] : [n]);
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, content) => bytes(field, [...Buffer.from(content)]);
const number = (field, n) => [...varint(field << 3), ...varint(n)];
const value = (name) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, bytes(1, number(1, 1)))]))];
const node = (operator, to) => bytes(1, [...text(1, 'x'), ...text(2, to), ...text(4, operator)]);
const graph = [...node('Neg', 'a'), ...node('Abs', 'b'), ...text(2, 'g'), ...bytes(11, value('x')), ...bytes(12, value('a')), ...bytes(12, value('b'))];
const model = Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
const feeds = { x: new ort.Tensor('float32', Float32Array.of(-3), [1]) };

const providers = ['webgpu'];

async function said(preferredOutputLocation, ...asked) {
  const session = await ort.InferenceSession.create(model, { executionProviders: providers, ...(preferredOutputLocation && { preferredOutputLocation }) });
  const answers = [];
  for (const names of asked) {
    const outputs = await session.run(feeds, names).catch(({ message }) => message);
    answers.push(typeof outputs === 'string' ? outputs : names.map((name) => `${name}: ${outputs[name].location}`).join(', '));
  }
  return answers.join(' | ');
}

(async () => {
  await ort.InferenceSession.create(model, { executionProviders: providers, logSeverityLevel: 4 }).catch(() => process.exit(2));
  const both = ['a', 'b'];
  console.log(await said(undefined, both, ['b']));
  console.log(await said('cpu', both, ['b']));
  console.log(await said({ a: 'gpu-buffer', b: 'cpu' }, both, ['b'], ['a'], both));
  console.log(await said({ a: 'gpu-buffer', b: 'cpu' }, ['b']));
})();
JS

rasteriser=/usr/lib/chromium/vk_swiftshader_icd.json
[ -f "$rasteriser" ] && export VK_ICD_FILENAMES="${VK_ICD_FILENAMES:-$rasteriser}"
seen=$(ORT_DISABLE_TELEMETRY=1 node outputs.cjs 2>/dev/null) || { echo 'no WebGPU device here'; exit 2; }
expected='a: cpu, b: cpu | b: cpu
a: cpu, b: cpu | b: cpu
a: gpu-buffer, b: cpu | Output count mismatch. | Output count mismatch. | a: gpu-buffer, b: cpu
b: gpu-buffer'
printf '%s\n' "$seen"
if [ "$seen" = "$expected" ]; then echo 'as described'; else echo 'CHANGED'; exit 1; fi
