import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const { kernels } = (await import(new URL('./scripts/kernels.mjs', import.meta.url).href)) as { readonly kernels: () => Plugin };

/** What starts programs takes longest and begins first, so that in the end no worker waits long for the other. */
const ORDER = ['/test/e2e/', '/test/golden/', ''];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => ORDER.findIndex((folder) => moduleId.includes(folder));
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  plugins: [svelte(), kernels()],
  resolve: { conditions: ['browser'] },
  test: {
    include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/contract/**/*.contract.ts', 'test/e2e/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // Golden tests compute in the very process; see engine/runtime/onnx-runtime.ts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
});
