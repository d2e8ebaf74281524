import { defineConfig } from '@playwright/test';
import tests from './playwright.config.js';

const { projects: _, ...machinery } = tests;

/** `npm run bench` measures the window with the machinery of its tests, in a browser. */
export default defineConfig(machinery, {
  testDir: 'test/bench',
  testMatch: '**/*.bench.ts',
  timeout: 2_400_000,
  workers: 1,
  reporter: [['line']],
});
