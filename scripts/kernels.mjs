// Inner loops in WebAssembly: `import { wasm } from 'virtual:kernels/NAME'` is src-kernels/NAME.ts, compiled as the import is built.
import asc from 'assemblyscript/asc';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './ensure.mjs';

const SOURCES = path.join(root, 'src-kernels');
const PREFIX = 'virtual:kernels/';
const RESOLVED = `\0${PREFIX}`;
/** Plain SIMD gives the same bits everywhere; relaxed SIMD would not. Workers share the memory, which the caller makes. */
const OPTIONS = [
  ...['--baseDir', SOURCES, '--outFile', 'kernel.wasm', '-O3', '--noAssert', '--runtime', 'stub'],
  ...['--importMemory', '--noExportMemory', '--sharedMemory', '--maximumMemory', '65536', '--enable', 'simd,threads,bulk-memory'],
];

const CACHE = path.join(root, 'node_modules/.cache/kernels');
const require = createRequire(path.join(root, 'package.json'));

/** Compiled once per source, set of options and compiler: tests import kernels all the time. */
async function cachedKernel(name) {
  const { version } = require('assemblyscript/package.json');
  const key = createHash('sha256')
    .update(readFileSync(path.join(SOURCES, `${name}.ts`)))
    .update(JSON.stringify([OPTIONS.slice(2), version]));
  const file = path.join(CACHE, `${name}-${key.digest('hex').slice(0, 16)}.wasm`);
  if (existsSync(file)) return readFileSync(file);
  const wasm = await compileKernel(name);
  mkdirSync(CACHE, { recursive: true });
  // Renamed into its place, because two programs may build at once.
  writeFileSync(`${file}.${process.pid}`, wasm);
  renameSync(`${file}.${process.pid}`, file);
  return wasm;
}

/** The bytes of a kernel; throws with the compiler's words where its source is wrong. */
export async function compileKernel(name) {
  let wasm;
  const writeFile = (_, contents) => (wasm = contents);
  const { error, stderr } = await asc.main([`${name}.ts`, ...OPTIONS], { writeFile });
  if (error) throw new Error(`The kernel "${name}" does not compile.\n${stderr.toString()}`);
  return wasm;
}

/** For Vite and Vitest alike: a kernel travels inside the script that uses it, so that no package has to carry a file for it. */
export function kernels() {
  return {
    name: 'kernels',
    resolveId: (id) => (id.startsWith(PREFIX) ? `\0${id}` : undefined),
    async load(id) {
      if (!id.startsWith(RESOLVED)) return undefined;
      const name = id.slice(RESOLVED.length);
      this.addWatchFile(path.join(SOURCES, `${name}.ts`));
      const wasm = await cachedKernel(name);
      return `export const wasm = Buffer.from('${Buffer.from(wasm).toString('base64')}', 'base64');`;
    },
  };
}
