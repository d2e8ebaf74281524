import { defineConfig } from 'vite';

/** The preload script: one CommonJS file, because sandboxed scripts can load no other. */
export default defineConfig({
  build: {
    ssr: true,
    outDir: 'dist/preload',
    emptyOutDir: true,
    target: 'es2022',
    minify: false,
    rolldownOptions: {
      input: 'src-main/electron/preload.ts',
      external: ['electron'],
      checks: { bundlerTimings: false },
      output: { format: 'cjs', entryFileNames: 'preload.cjs' },
    },
  },
});
