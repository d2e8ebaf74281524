import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { NO_TELEMETRY } from '#base/telemetry.js';
import type { ProviderReport } from '#contract/api.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import { onnxRuntime } from './onnx-runtime.js';

/** A provider that was tried on this machine. */
export interface TriedProvider extends ProviderReport {
  /** May be chosen without being asked for. */
  readonly automatic: boolean;
}

/** Every provider that ONNX Runtime has somewhere, and where. */
const HOMES: readonly { readonly name: string; readonly platforms: readonly string[]; readonly elsewhere: string }[] = [
  { name: 'cuda', platforms: ['linux-x64', 'win32-x64'], elsewhere: 'CUDA exists on Linux and Windows with an NVIDIA card only.' },
  { name: 'dml', platforms: ['win32-x64', 'win32-arm64'], elsewhere: 'DirectML exists on Windows only.' },
  { name: 'coreml', platforms: ['darwin-arm64', 'darwin-x64'], elsewhere: 'Core ML exists on macOS only.' },
  {
    name: 'webgpu',
    platforms: ['linux-x64', 'win32-x64', 'win32-arm64', 'darwin-arm64'],
    elsewhere: 'WebGPU is not built for this platform.',
  },
];

const PROBE_TIMEOUT_MS = 20_000;

/** Identity of one float: the smallest graph that a provider must be able to open. */
function identityGraph(): Uint8Array {
  const graph = new GraphBuilder('probe');
  graph.output('y', graph.op('Identity', [graph.input('x', [1])]), [1]);
  return graph.finish().bytes;
}

/** Runs in a process of its own: a broken driver may take the whole process with it. */
const PROBE = `
const ort = require(process.argv[1]);
const bytes = Buffer.from(process.argv[3], 'base64');
ort.InferenceSession.create(bytes, { executionProviders: [process.argv[2]], logSeverityLevel: 4 })
  .then((session) => session.run({ x: new ort.Tensor('float32', Float32Array.of(3), [1]) }))
  .then(({ y }) => process.exit(y.data[0] === 3 ? 0 : 1))
  .catch((error) => { console.error(String(error.message).split('\\n')[0]); process.exit(1); });
`;

let tried: Promise<readonly TriedProvider[]> | undefined;

/** Tries every provider once per process. */
export function availableProviders(): Promise<readonly TriedProvider[]> {
  tried ??= Promise.all(HOMES.map(tryProvider));
  return tried;
}

/** What the hardware panel shows; the CPU is always there. */
export async function listProviders(): Promise<readonly ProviderReport[]> {
  const reports = await availableProviders();
  const cpu: ProviderReport = { name: 'cpu', available: true };
  return [cpu, ...reports.map(({ name, available, whyNot }) => ({ name, available, ...(whyNot === undefined ? {} : { whyNot }) }))];
}

async function tryProvider({ name, platforms, elsewhere }: (typeof HOMES)[number]): Promise<TriedProvider> {
  const refused = (whyNot: string): TriedProvider => ({ name, available: false, whyNot, automatic: false });
  if (!platforms.includes(`${process.platform}-${process.arch}`)) return refused(elsewhere);
  if (
    !onnxRuntime()
      .listSupportedBackends()
      .some((backend) => backend.name === name)
  )
    return refused(`This build of ONNX Runtime has no ${name}.`);
  const failure = await probe(name);
  if (failure !== undefined) return refused(failure);
  // WebGPU may stand on a software rasteriser, which is far slower than the CPU provider: only on request.
  return { name, available: true, automatic: name !== 'webgpu' };
}

/** Why the provider does not work; undefined where it does. */
function probe(name: string): Promise<string | undefined> {
  const library = createRequire(import.meta.url).resolve('onnxruntime-node');
  const bytes = Buffer.from(identityGraph()).toString('base64');
  const env = { ...process.env, ...NO_TELEMETRY, ELECTRON_RUN_AS_NODE: '1' };
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', PROBE, library, name, bytes], { timeout: PROBE_TIMEOUT_MS, env }, (error, _stdout, stderr) => {
      if (!error) resolve(undefined);
      else resolve(lastLine(stderr) ?? `The ${name} provider ended its process (${error.signal ?? error.code ?? 'unknown'}).`);
    });
  });
}

function lastLine(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed === '' ? undefined : trimmed.split('\n').at(-1)?.trim().slice(0, 300);
}
