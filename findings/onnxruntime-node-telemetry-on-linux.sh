#!/usr/bin/env bash
# onnxruntime-node on Linux keeps usage telemetry unless ORT_DISABLE_TELEMETRY=1 is in the environment.
#
# Version: onnxruntime-node 1.30.0 (linux-x64), Node 20.20, Debian 12.
# Seen on 2026-11-28, with a model of one Identity node, given as bytes, run once on the CPU provider:
#   - Without the variable a session writes Microsoft/DeveloperTools/.onnxruntime/deviceid and onnxruntime.db under
#     $XDG_CACHE_HOME (else ~/.cache), and .ses and mat-debug-<pid>.log in $TMPDIR; these files stay after the process has ended.
#     About ten seconds later the host name mobile.events.data.microsoft.com is looked up (with strace: a datagram to port 53).
#   - ORT_DISABLE_TELEMETRY=1 leaves none of these files and makes no look-up; ORT_DISABLE_TELEMETRY=0 is as without.
#   - Loading the package alone does neither; creating the first session does.
# The package's README and its type declarations name neither the variable nor the files.
#
# Exits 0 while this is so, 1 when it has changed. Needs Node and npm; strace, where it is there, shows the look-up.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" onnxruntime-node@1.30.0 >/dev/null

cat >identity.cjs <<'JS'
// An ONNX model of one Identity node, written by hand: fields of protobuf, as numbers and strings.
const ort = require('onnxruntime-node');
const varint = (n) => (n > 127 ? [(n & 127) | 128, ...varint(n >> 7)] : [n]);
const bytes = (field, content) => [...varint((field << 3) | 2), ...varint(content.length), ...content];
const text = (field, content) => bytes(field, [...Buffer.from(content)]);
const number = (field, n) => [...varint(field << 3), ...varint(n)];
const value = (name) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, 1), ...bytes(2, bytes(1, number(1, 1)))]))];
const node = [...text(1, 'x'), ...text(2, 'y'), ...text(4, 'Identity')];
const graph = [...bytes(1, node), ...text(2, 'g'), ...bytes(11, value('x')), ...bytes(12, value('y'))];
const model = Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 17))]);
(async () => {
  if (process.argv[2] === 'load') return;
  const session = await ort.InferenceSession.create(model);
  const { y } = await session.run({ x: new ort.Tensor('float32', Float32Array.of(3), [1]) });
  if (y.data[0] !== 3) process.exit(2);
  await new Promise((resolve) => setTimeout(resolve, Number(process.argv[2] ?? 1) * 1000));
})();
JS

# run NAME SECONDS [VARIABLE=VALUE …]: runs the model in folders of its own and prints the names of the files that stay.
run() {
  local name=$1 seconds=$2
  shift 2
  mkdir -p "$name/cache" "$name/tmp" "$name/home"
  env -u ORT_DISABLE_TELEMETRY "$@" HOME="$work/$name/home" XDG_CACHE_HOME="$work/$name/cache" TMPDIR="$work/$name/tmp" \
    ${tracer:-} node identity.cjs "$seconds"
  (cd "$name" && find cache tmp home -type f | sed -E 's/mat-debug-[0-9]+/mat-debug-PID/' | sort | tr '\n' ' ')
}

expected='cache/Microsoft/DeveloperTools/.onnxruntime/deviceid cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db tmp/.ses tmp/mat-debug-PID.log '
changed=0
check() {
  if [ "$2" = "$3" ]; then echo "as described: $1: ${2:-no file}"; else echo "CHANGED: $1: expected '$3', found '$2'"; changed=1; fi
}
check 'nothing set' "$(run plain 1)" "$expected"
check 'ORT_DISABLE_TELEMETRY=0' "$(run zero 1 ORT_DISABLE_TELEMETRY=0)" "$expected"
check 'ORT_DISABLE_TELEMETRY=1' "$(run off 1 ORT_DISABLE_TELEMETRY=1)" ''
check 'loaded, no session' "$(run loaded load)" ''

if strace -f -o /dev/null true 2>/dev/null; then
  lookups() { grep -c 'sin_port=htons(53)' "$1" || true; }
  tracer="strace -f -qq -e trace=connect,sendto -o $work/plain.trace" run traced 15 >/dev/null
  tracer="strace -f -qq -e trace=connect,sendto -o $work/off.trace" run traced-off 15 ORT_DISABLE_TELEMETRY=1 >/dev/null
  check 'look-ups with nothing set (0 = none, 1 = some)' "$([ "$(lookups plain.trace)" -gt 0 ] && echo 1 || echo 0)" 1
  check 'look-ups with ORT_DISABLE_TELEMETRY=1' "$(lookups off.trace)" 0
fi
exit $changed
