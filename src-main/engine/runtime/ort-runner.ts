import os from 'node:os';
import type * as ort from 'onnxruntime-node';
import { ExpectedError } from '#contract/errors.js';
import type { ProviderChoice } from '#contract/request.js';
import { GraphBuilder } from '#engine/graph/builder.js';
import type { Feeds, GraphModel, GraphSession, Runner, Values } from '#engine/tensor/runner.js';
import type { DeviceTensor, DType, ElementArrays, Tensor } from '#engine/tensor/tensor.js';
import { DeviceMemory } from './device-memory.js';
import { onnxRuntime } from './onnx-runtime.js';
import { availableProviders } from './providers.js';

export interface RunnerOptions {
  readonly provider: ProviderChoice;
  /** Absent = every core. */
  readonly threads?: number;
  /**
   * Repack the weights for speed. Without it they stay mapped from their file: slower by a tenth
   * or more on CPU, but memory grows only with what is touched.
   */
  readonly prepack?: boolean;
}

/** Their fused attention is wrong from 32 queries on, at least on devices of few lanes (ONNX Runtime 1.30; findings/onnxruntime-webgpu-attention-of-many-queries.sh). */
const OFF_WHEN_FUSED: readonly string[] = ['webgpu'];
/** Of Node's providers only this one leaves outputs where they are (ONNX Runtime 1.30). */
const WITH_MEMORY: readonly string[] = ['webgpu'];

/** Computes with ONNX Runtime. Throws `provider.unavailable` with the reason where the provider cannot be had. */
export async function createRunner(options: RunnerOptions): Promise<Runner> {
  const provider = await chooseProvider(options.provider);
  const opener: Opener = { ...options, provider, memory: new DeviceMemory() };
  return {
    provider,
    fusedAttention: !OFF_WHEN_FUSED.includes(provider),
    ...(WITH_MEMORY.includes(provider) && { device: { halves: await hasHalves(opener) } }),
    open: (graph) => openSession(graph, opener),
  };
}

/** What all sessions of one runner share. */
interface Opener extends Omit<RunnerOptions, 'provider'> {
  readonly provider: string;
  readonly memory: DeviceMemory;
}

/** Not every device has numbers of half precision; asked of the device itself, by casting one. */
async function hasHalves(opener: Opener): Promise<boolean> {
  const graph = new GraphBuilder('halves');
  const half = graph.cast(graph.input('x', [1]), { from: 'float32', to: 'float16' });
  graph.output('y', graph.cast(half, { from: 'float16', to: 'float32' }), [1]);
  const session = await openSession(graph.finish(), { ...opener, isTrial: true });
  try {
    await session.run({ x: { dtype: 'float32', dims: [1], data: Float32Array.of(1) } });
    return true;
  } catch {
    return false;
  } finally {
    await session.release();
  }
}

/** `auto` is the fastest provider that works here; software rasterisers never count as one. */
async function chooseProvider(choice: ProviderChoice): Promise<string> {
  if (choice === 'cpu') return 'cpu';
  const reports = await availableProviders();
  if (choice === 'auto') return reports.find(({ available, automatic }) => available && automatic)?.name ?? 'cpu';
  const report = reports.find(({ name }) => name === choice);
  if (report?.available) return choice;
  throw new ExpectedError(
    'provider.unavailable',
    `Expected the provider "${choice}" to work here but it does not: ${report?.whyNot ?? 'unknown'}`,
  );
}

/** A trial may fail: it is not to be heard of. */
type Opening = Opener & { readonly isTrial?: boolean };

async function openSession(graph: GraphModel, opening: Opening): Promise<GraphSession> {
  const { provider, memory, threads, prepack = true, isTrial = false } = opening;
  const { onDevice = [] } = graph;
  if (onDevice.length > 0 && !WITH_MEMORY.includes(provider))
    throw new Error(`Expected a provider with a memory of its own for "${graph.name}" but received ${provider}.`);
  const session = await onnxRuntime().InferenceSession.create(graph.bytes, {
    executionProviders: [provider],
    intraOpNumThreads: threads ?? os.availableParallelism(),
    logSeverityLevel: isTrial ? 4 : 3,
    ...(onDevice.length > 0 && { preferredOutputLocation: Object.fromEntries(onDevice.map((name) => [name, 'gpu-buffer' as const])) }),
    // A plan of one size's buffers is kept beside the next size's: with symbolic shapes it costs up to half as much again.
    enableMemPattern: false,
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        disable_prepacking: prepack ? '0' : '1',
        // Given as bytes, a model would look for external data in the current folder.
        ...(graph.externalFolder === undefined ? {} : { model_external_initializers_file_folder_path: graph.externalFolder }),
      },
    },
  });
  return {
    run: (feeds, into, only) => runSession({ session, memory, onDevice }, feeds, { into: into ?? {}, only: only ?? session.outputNames }),
    release: () => session.release(),
  };
}

interface Wanted {
  readonly into: Feeds;
  readonly only: readonly string[];
}

interface OpenSession {
  readonly session: ort.InferenceSession;
  readonly memory: DeviceMemory;
  readonly onDevice: readonly string[];
}

async function runSession(open: OpenSession, feeds: Values, wanted: Wanted): Promise<Values> {
  const { session, memory, onDevice } = open;
  const { into, only } = onDevice.length === 0 ? wanted : everything(session, wanted);
  const fetches: Record<string, ort.Tensor | null> = {};
  for (const name of [...only, ...Object.keys(into)]) fetches[name] = into[name] ? toOrt(into[name]) : null;
  const inputs = mapValues(feeds, (feed, name) => ('data' in feed ? toOrt(feed) : memory.take(feed, name)));
  const results = await session.run(inputs, fetches);
  return mapValues(
    results,
    (result, name): Tensor | DeviceTensor => into[name] ?? (onDevice.includes(name) ? memory.hold(result, name) : fromOrt(result)),
  );
}

/** Bound to a device, a session never lets go of an output that was once asked for, and takes places by their order: all of them, always. */
function everything(session: ort.InferenceSession, { into }: Wanted): Wanted {
  if (Object.keys(into).length > 0) throw new Error('Expected outputs on a device to be fresh but received where to write them.');
  return { into, only: session.outputNames };
}

function toOrt({ dtype, dims, data }: Tensor): ort.Tensor {
  const { Tensor: OrtTensor } = onnxRuntime();
  return new OrtTensor(dtype, data, dims);
}

function fromOrt(tensor: ort.Tensor): Tensor {
  return { dtype: tensor.type as DType, dims: tensor.dims, data: tensor.data as ElementArrays[DType] };
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));
}
