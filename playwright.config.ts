import { defineConfig } from '@playwright/test';

/** Debian's Chromium starts as root without its sandbox, and must not look for hosts of its own. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const executablePath = process.env['SCALEBRUSH_CHROMIUM'] ?? '/usr/bin/chromium';

export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '**/*.spec.ts',
  timeout: 60_000,
  workers: 1,
  // A machine that others keep busy gets a second look; what passes only then is listed as flaky.
  retries: process.env['CI'] ? 1 : 0,
  reporter: process.env['SCALEBRUSH_REPORT'] ? [['list'], ['json', { outputFile: process.env['SCALEBRUSH_REPORT'] }]] : [['list']],
  use: { viewport: { width: 1440, height: 900 }, launchOptions: { executablePath, args } },
});
