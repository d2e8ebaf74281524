import { createRequire, syncBuiltinESMExports } from 'node:module';

/** In a package nothing runs the executable as Node, so whoever forks by itself would start a second application. */
export function forbidFork() {
  const children = createRequire(import.meta.url)('node:child_process');
  children.fork = () => {
    throw new Error('The double starts no Node: runAsNode is off.');
  };
  syncBuiltinESMExports();
}
