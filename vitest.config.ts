import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const { kernels } = (await import(new URL('./scripts/kernels.mjs', import.meta.url).href)) as { readonly kernels: () => Plugin };

export default defineConfig({
  plugins: [svelte(), kernels()],
  resolve: { conditions: ['browser'] },
  test: {
    include: ['test/unit/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/contract/**/*.contract.ts', 'test/e2e/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    // Golden tests compute in the very process; see engine/runtime/onnx-runtime.ts.
    env: { ORT_DISABLE_TELEMETRY: '1' },
  },
});
