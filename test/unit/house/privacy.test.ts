import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

interface Package {
  readonly name: string;
  readonly installed: boolean;
}

const { shippedPackages } = (await import(path.resolve('scripts/shipped.mjs'))) as { readonly shippedPackages: () => readonly Package[] };

const OPENS_SOCKETS =
  /(?:require|import)\(['"](?:node:)?(?:net|https?|dgram|tls|http2|dns)(?:\/promises)?['"]\)|from ['"](?:node:)?(?:net|https?|dgram|tls|http2|dns)['"]/u;
/** What a package ships for those who work on it is never loaded. */
const FOR_DEVELOPERS = /^(?:node_modules|tests?|bench(?:marks?)?|examples?|\.github)$/u;
const SCRIPT = /^(?!.*\.test\.)(?!examples?\.).*\.[cm]?js$/u;

/** The scripts of a package without those of packages inside it, which are looked at themselves. */
function scriptsOf(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return FOR_DEVELOPERS.test(entry.name) ? [] : scriptsOf(file);
    return SCRIPT.test(entry.name) ? [file] : [];
  });
}

test('every shipped package that can open a socket is explained in docs/privacy.md', () => {
  const installed = shippedPackages().filter((each) => each.installed);
  const able = installed.filter(({ name }) => scriptsOf(name).some((file) => OPENS_SOCKETS.test(readFileSync(file, 'utf8'))));
  const names = able.map(({ name }) => name.replace(/^.*node_modules\//u, ''));
  expect(names).toContain('undici');
  const explained = readFileSync('docs/privacy.md', 'utf8');
  expect(names.filter((name) => !explained.includes(`\`${name}\``))).toEqual([]);
});
