// `npm run bench`: measures this machine and rewrites test/bench/RESULTS.md.
import { ensureBuild, ensurePackages, run } from './ensure.mjs';

ensurePackages();
ensureBuild();
process.exit(run(process.execPath, ['dist/main/bench.js', ...process.argv.slice(2)]).status ?? 1);
