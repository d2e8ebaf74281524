// `npm test`: everything, from a bare checkout. Ends with one line that counts the tests of both runners.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ensureBrowser, ensureBuild, ensurePackages, ensureTestPrograms, root, runTool } from './ensure.mjs';

// Set-up that fails is a failed test run, and says so in the same last line.
process.once('exit', (code) => {
  if (code !== 0 && !counted) console.log('\n0 passed, 1 failed, 0 skipped');
});
let counted = false;

ensurePackages();
ensureBuild();
const chromium = ensureBrowser();
ensureTestPrograms();
// Beside Playwright's own folder, which it empties when it starts.
const reports = path.join(root, 'dist/test-reports');
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
const vitest = runTool(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${path.join(reports, 'vitest.json')}`],
  { env },
);
const playwright = runTool('@playwright/test', ['test', '--project=server', '--project=desktop'], { env });

const unit = readReport('vitest.json');
const browser = readReport('playwright.json');
const passed = (unit?.numPassedTests ?? 0) + (browser?.stats.expected ?? 0) + (browser?.stats.flaky ?? 0);
const skipped = (unit?.numPendingTests ?? 0) + (browser?.stats.skipped ?? 0);
const failures = (unit?.numFailedTests ?? 0) + (browser?.stats.unexpected ?? 0);
// A suite that cannot even be loaded has no tests to count, yet it failed.
const broken = vitest.status !== 0 || playwright.status !== 0;
const failed = broken ? Math.max(1, failures) : failures;
counted = true;
// Named once more at the end: what a runner says of a failure lies far above.
const names = [...unitFailures(unit), ...browserFailures(browser)];
if (names.length > 0) console.log(`\nFailed:\n${names.map((name) => `  ${name}`).join('\n')}`);
console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed > 0 ? 1 : 0);

/** Tests by their names, and files that could not be loaded. */
function unitFailures(report) {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const file = path.relative(root, name);
    const tests = assertionResults.filter((test) => test.status === 'failed');
    if (tests.length > 0) return tests.map((test) => `${file} › ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
    return status === 'failed' ? [`${file}: ${firstLine(message)}`] : [];
  });
}

function browserFailures(report) {
  const within = ({ specs = [], suites = [] }) => [...specs, ...suites.flatMap(within)];
  return (report?.suites ?? [])
    .flatMap(within)
    .filter(({ tests }) => tests.some(({ status }) => status === 'unexpected'))
    .map(({ file, line, title }) => `test/e2e/${file}:${line} › ${title}`);
}

function firstLine(text = '') {
  return text.split('\n', 1)[0];
}
