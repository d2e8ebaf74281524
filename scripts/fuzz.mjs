// `npm run fuzz [TIMES]`: hostile bytes for the readers of weights, of directories and of XMP, hostile jobs for the farm, and pictures of all
// kinds for the row loop of the compositor, TIMES as many as `npm test` tries (default 100).
import { spawnSync } from 'node:child_process';
import { ensurePackages, root } from './ensure.mjs';

ensurePackages();
const env = { ...process.env, SCALEBRUSH_FUZZ: process.argv[2] ?? '100' };
const tests = [
  'test/unit/engine/weights/hostile-bytes.test.ts',
  'test/unit/engine/graph/onnx-reader.test.ts',
  'test/unit/engine/image/compositing/row-kernel.test.ts',
  'test/unit/engine/image/files/directory.test.ts',
  'test/unit/engine/image/files/xmp.test.ts',
  'test/unit/farm/job.test.ts',
];
const { status } = spawnSync('npx', ['vitest', 'run', ...tests], {
  cwd: root,
  env,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
process.exit(status ?? 1);
