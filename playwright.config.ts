import { defineConfig } from '@playwright/test';
import type { OfWorker } from './test/e2e/support/studio.js';

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
const ofTheDesktop = '**/desktop*.spec.ts';
const scenarios = '**/scenarios/*.spec.ts';

export default defineConfig<object, OfWorker>({
  testDir: 'test/e2e',
  testMatch: '**/*.spec.ts',
  // A machine that does much else is waited for: specs wait for states, and end at once where they come.
  timeout: 180_000,
  expect: { timeout: 20_000 },
  // Each has a server, a home and a browser of its own; of the desktop there is one at a time, which faults are given seconds to show in.
  workers: 2,
  // A machine that others keep busy gets a second look; what passes only then is listed as flaky.
  retries: process.env['CI'] ? 1 : 0,
  reporter: process.env['SCALEBRUSH_REPORT'] ? [['list'], ['json', { outputFile: process.env['SCALEBRUSH_REPORT'] }]] : [['list']],
  // The same specifications of the window twice: in a browser, and in the desktop's own page. `npm test` leaves the rest out.
  // Those that go one at a time begin first: the other worker has the rest meanwhile, and in the end none waits.
  projects: [
    { name: 'desktop', workers: 1, use: { host: 'desktop' }, testMatch: [ofTheDesktop, scenarios] },
    { name: 'server', use: { host: 'server' }, testIgnore: ofTheDesktop },
    { name: 'desktop-rest', workers: 1, use: { host: 'desktop' }, testIgnore: [ofTheDesktop, scenarios, '**/screenshots.spec.ts'] },
  ],
  use: { viewport: { width: 1440, height: 900 }, launchOptions: { executablePath, args } },
});
