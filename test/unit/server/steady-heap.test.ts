import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { build } from 'vite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Makes a million objects of which some live for a while, and says how many bytes V8 then keeps for such. */
const CHURN = `for (let round = 0, held = []; round < 1e6; round++, held = round % 5e4 === 0 ? [] : held) held.push({ round });
  const { getHeapSpaceStatistics } = await import('node:v8');
  console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);`;

it('a server holds no more memory for having made much', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'steady-heap-'));
  const output = { entryFileNames: 'steady-heap.mjs' };
  const bundle = { ssr: 'src-main/server/steady-heap.ts', outDir: folder, rolldownOptions: { output } };
  await build({ configFile: false, logLevel: 'error', build: bundle });
  const bytesAfter = (begin: string) =>
    Number(execFileSync(process.execPath, ['--input-type=module', '-e', `${begin}\n${CHURN}`], { cwd: folder, encoding: 'utf8' }));
  expect(bytesAfter('')).toBeGreaterThan(4 * 2 ** 20);
  expect(bytesAfter("(await import('./steady-heap.mjs')).keepHeapSteady();")).toBeLessThanOrEqual(4 * 2 ** 20);
  await rm(folder, { recursive: true });
});
