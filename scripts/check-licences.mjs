// Every package that ships with the product must have a licence that fits MIT.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './ensure.mjs';

const ALLOWED = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  '(MIT OR CC0-1.0)',
  '(BSD-3-Clause OR GPL-2.0)',
]);
// libvips is a shared library beside sharp, loaded at run time and replaceable by its user: what the LGPL asks for.
const LINKED_LIBRARY = /^node_modules\/@img\/sharp-(libvips-)?/u;
const LINKED_LICENCE = /LGPL-3\.0-or-later/u;

const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
const refused = Object.entries(packages).filter(([name, { dev, devOptional, license }]) => {
  if (!name || dev || devOptional) return false;
  return !ALLOWED.has(license) && !(LINKED_LIBRARY.test(name) && LINKED_LICENCE.test(license ?? ''));
});
for (const [name, { license }] of refused) console.error(`Expected a permissive licence for ${name} but received ${license ?? 'none'}.`);
process.exit(refused.length > 0 ? 1 : 0);
