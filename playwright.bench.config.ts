import { defineConfig } from '@playwright/test';
import tests from './playwright.config.js';

/** `npm run bench` measures the window with the machinery of its tests. */
export default defineConfig(tests, { testDir: 'test/bench', testMatch: '**/*.bench.ts', timeout: 300_000, reporter: [['line']] });
