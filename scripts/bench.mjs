// `npm run bench`: measures this machine and rewrites test/bench/RESULTS.md; `npm run bench -- farm` only what it says of the farm,
// `-- server` of the server under load, `-- pixels` of processor time and memory of pixels, `-- window` of the window on 24 megapixels.
import { ensureBuild, ensurePackages, run, runTool } from './ensure.mjs';

ensurePackages();
ensureBuild();
// It measures the runtime in its own process, too; see engine/runtime/onnx-runtime.ts.
const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
const section = process.argv.slice(2);
const window = () => process.exit(runTool('@playwright/test', ['test', '--config', 'playwright.bench.config.ts']).status ?? 1);
if (section[0] === 'window') window();
const { status } = run(process.execPath, ['dist/main/bench.js', ...section], { env });
if (status !== 0 || section.length > 0) process.exit(status ?? 1);
// The window's part goes into the table that was just written.
window();
