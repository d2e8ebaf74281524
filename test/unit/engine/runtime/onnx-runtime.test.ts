import { afterEach, expect, test, vi } from 'vitest';
import { NO_TELEMETRY } from '#base/telemetry.js';
import { onnxRuntime } from '#engine/runtime/onnx-runtime.js';

afterEach(() => vi.unstubAllEnvs());

test.each([undefined, '', '0', 'true'])('the runtime is not loaded where telemetry is not off: ORT_DISABLE_TELEMETRY=%s', (said) => {
  vi.stubEnv('ORT_DISABLE_TELEMETRY', said);
  expect(() => onnxRuntime()).toThrow(/^Expected ORT_DISABLE_TELEMETRY=1 for a process with ONNX Runtime/u);
});

test('the runtime is loaded where telemetry is off', () => {
  vi.stubEnv('ORT_DISABLE_TELEMETRY', NO_TELEMETRY.ORT_DISABLE_TELEMETRY);
  expect(
    onnxRuntime()
      .listSupportedBackends()
      .map(({ name }) => name),
  ).toContain('cpu');
});
