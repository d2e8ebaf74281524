// `npm run fuzz [TIMES]`: hostile bytes for all readers of strangers' files, and hostile jobs for the farm, TIMES as many as `npm test`
// tries (default 100). `npm run fuzz -- kills [NUMBER]`: so many kill -9 (default 1000) over saves, journals, projects, imports and
// batches in turn. `npm run fuzz -- soak [NUMBER]`: so many edits (default 500) by one `serve`.
import { spawnSync } from 'node:child_process';
import { ensureBuild, ensurePackages, root } from './ensure.mjs';

const READERS = [
  'test/unit/engine/weights/hostile-bytes.test.ts',
  'test/unit/engine/graph/onnx-reader.test.ts',
  'test/unit/engine/image/files/directory.test.ts',
  'test/unit/engine/image/files/slim/slim.test.ts',
  'test/unit/engine/image/files/xmp.test.ts',
  'test/unit/farm/job.test.ts',
  'test/unit/service/hostile-fields.test.ts',
];

const [what = '100', number] = process.argv.slice(2);
ensurePackages();
if (what === 'kills') {
  ensureBuild();
  run(['test/e2e/kills.test.ts'], { SCALEBRUSH_KILLS: number ?? '1000' });
} else if (what === 'soak') {
  ensureBuild();
  run(['test/e2e/soak.test.ts'], { SCALEBRUSH_SOAK: number ?? '500' });
} else run(READERS, { SCALEBRUSH_FUZZ: what });

function run(tests, settings) {
  const env = { ...process.env, ...settings };
  const { status } = spawnSync('npx', ['vitest', 'run', ...tests], {
    cwd: root,
    env,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  process.exit(status ?? 1);
}
