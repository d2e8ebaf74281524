import { createRequire } from 'node:module';
import { NO_TELEMETRY } from '#base/telemetry.js';
import type * as OnnxRuntime from 'onnxruntime-node';

type Runtime = typeof OnnxRuntime;

let loaded: Runtime | undefined;

/**
 * ONNX Runtime, loaded at the first call: the only door to it.
 *
 * @throws Error where this process would report to the vendor. It is not helped here: whoever started it has to.
 */
export function onnxRuntime(): Runtime {
  const { ORT_DISABLE_TELEMETRY: said = 'nothing' } = process.env;
  if (said !== NO_TELEMETRY.ORT_DISABLE_TELEMETRY)
    throw new Error(`Expected ORT_DISABLE_TELEMETRY=1 for a process with ONNX Runtime but received ${said}.`);
  return (loaded ??= createRequire(import.meta.url)('onnxruntime-node') as Runtime);
}
