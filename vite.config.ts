import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const { licences } = (await import(new URL('./scripts/licences.mjs', import.meta.url).href)) as { readonly licences: () => string };

const { markdown } = (await import(new URL('./scripts/markdown.mjs', import.meta.url).href)) as { readonly markdown: () => Plugin };

const withLicences: Plugin = {
  name: 'licences',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: licences() });
  },
};

/** The window. */
export default defineConfig({
  root: 'src-renderer',
  base: './',
  plugins: [svelte(), markdown(), withLicences],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
});
