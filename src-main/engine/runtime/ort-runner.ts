import os from 'node:os';
import type * as ort from 'onnxruntime-node';
import { ExpectedError } from '#contract/errors.js';
import type { ProviderChoice } from '#contract/request.js';
import type { Feeds, GraphModel, GraphSession, Runner } from '#engine/tensor/runner.js';
import type { DType, ElementArrays, Tensor } from '#engine/tensor/tensor.js';
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

/** Their fused attention is off by up to 1e-2 of the values (ONNX Runtime 1.30), which turns bits. */
const OFF_WHEN_FUSED: readonly string[] = ['webgpu'];

/** Computes with ONNX Runtime. Throws `provider.unavailable` with the reason where the provider cannot be had. */
export async function createRunner(options: RunnerOptions): Promise<Runner> {
  const provider = await chooseProvider(options.provider);
  return { provider, fusedAttention: !OFF_WHEN_FUSED.includes(provider), open: (graph) => openSession(graph, provider, options) };
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

async function openSession(graph: GraphModel, provider: string, { threads, prepack = true }: RunnerOptions): Promise<GraphSession> {
  const session = await onnxRuntime().InferenceSession.create(graph.bytes, {
    executionProviders: [provider],
    intraOpNumThreads: threads ?? os.availableParallelism(),
    logSeverityLevel: 3,
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
    run: (feeds, into, only) => runSession(session, feeds, { into: into ?? {}, only: only ?? session.outputNames }),
    release: () => session.release(),
  };
}

interface Wanted {
  readonly into: Feeds;
  readonly only: readonly string[];
}

async function runSession(session: ort.InferenceSession, feeds: Feeds, { into, only }: Wanted): Promise<Readonly<Record<string, Tensor>>> {
  const fetches: Record<string, ort.Tensor | null> = {};
  for (const name of [...only, ...Object.keys(into)]) fetches[name] = into[name] ? toOrt(into[name]) : null;
  const results = await session.run(mapValues(feeds, toOrt), fetches);
  return mapValues(results, (result, name) => into[name] ?? fromOrt(result));
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
