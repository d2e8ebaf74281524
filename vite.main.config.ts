import { chmodSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import packageJson from './package.json' with { type: 'json' };

const { kernels } = (await import(new URL('./scripts/kernels.mjs', import.meta.url).href)) as { readonly kernels: () => Plugin };

// Playwright drives the bench of the desktop's start, Vite builds the farm's sleeping workers: no part of the product.
const external = [...builtinModules, /^node:/u, 'electron', '@playwright/test', 'vite', ...Object.keys(packageJson.dependencies)];

/** `npx scalebrush` runs the file itself. */
const executable: Plugin = {
  name: 'executable',
  writeBundle: ({ dir = '' }) => {
    chmodSync(path.join(dir, 'cli.js'), 0o755);
  },
};

/** Everything that runs under Node: the command line with its server, the inference process, the desktop shell, the bench. */
export default defineConfig({
  plugins: [kernels(), executable],
  build: {
    ssr: true,
    outDir: 'dist/main',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    rolldownOptions: {
      input: {
        cli: 'src-main/cli/main.ts',
        inference: 'src-main/engine/door/host.ts',
        server: 'src-main/server/main.ts',
        electron: 'src-main/electron/main.ts',
        bench: 'test/bench/main.ts',
      },
      external,
      checks: { bundlerTimings: false },
      output: {
        format: 'es',
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name]-[hash].js',
        banner: (chunk) => (chunk.name === 'cli' ? '#!/usr/bin/env node' : ''),
      },
    },
  },
});
