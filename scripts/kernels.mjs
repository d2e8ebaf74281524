// Inner loops in WebAssembly: `import { wasm } from 'virtual:kernels/NAME'` is src-kernels/NAME.ts, compiled as the import is built.
import asc from 'assemblyscript/asc';
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
      const wasm = await compileKernel(name);
      return `export const wasm = Buffer.from('${Buffer.from(wasm).toString('base64')}', 'base64');`;
    },
  };
}
