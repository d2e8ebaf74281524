// `npm test`: everything, from a bare checkout. Ends with one line that counts the tests of both runners.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureBrowser, ensureBuild, ensurePackages, root, run } from './ensure.mjs';

ensurePackages();
ensureBuild();
const chromium = ensureBrowser();
const reports = path.join(root, 'test-results/reports');
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

function readReport(name) {
  try {
    return JSON.parse(readFileSync(path.join(reports, name), 'utf8'));
  } catch {
    return undefined; // the runner died before it could report: counted as a failure below
  }
}

const env = { ...process.env, SCALEBRUSH_CHROMIUM: chromium, SCALEBRUSH_REPORT: path.join(reports, 'playwright.json') };
const vitest = run(
  'npx',
  ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${path.join(reports, 'vitest.json')}`],
  { env },
);
const playwright = run('npx', ['playwright', 'test'], { env });

const unit = readReport('vitest.json');
const browser = readReport('playwright.json');
const passed = (unit?.numPassedTests ?? 0) + (browser?.stats.expected ?? 0) + (browser?.stats.flaky ?? 0);
const skipped = (unit?.numPendingTests ?? 0) + (browser?.stats.skipped ?? 0);
const counted = (unit?.numFailedTests ?? 0) + (browser?.stats.unexpected ?? 0);
// A suite that cannot even be loaded has no tests to count, yet it failed.
const broken = vitest.status !== 0 || playwright.status !== 0;
const failed = broken ? Math.max(1, counted) : counted;
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);
