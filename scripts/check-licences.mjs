// Every package that ships with the product must have a licence that fits MIT.
import { existsSync, readFileSync } from 'node:fs';
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
  '(MIT AND Zlib)',
  '(MIT OR CC0-1.0)',
  '(BSD-3-Clause OR GPL-2.0)',
]);
// libvips is a shared library beside sharp, loaded at run time and replaceable by its user: what the LGPL asks for.
const LINKED_LIBRARY = /^node_modules\/@img\/sharp-/u;
const LINKED_LICENCE = /^(Apache-2\.0 AND )?LGPL-3\.0-or-later( AND MIT)?$/u;
// Development dependencies by the manifest, yet they travel with the product: compiled into the window, or the desktop shell itself.
const BUNDLED = ['svelte', 'electron'];

const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));

function ships([name, { dev, devOptional }]) {
  return name !== '' && ((!dev && !devOptional) || BUNDLED.some((bundled) => name === `node_modules/${bundled}`));
}

/** What the installed package says; for another platform's package, what the lock says of it. */
function licenceOf(name, locked) {
  const manifest = path.join(root, name, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).license : locked;
}

function fits(name, licence) {
  return ALLOWED.has(licence) || (LINKED_LIBRARY.test(name) && LINKED_LICENCE.test(licence ?? ''));
}

const shipped = Object.entries(packages).filter(ships);
const refused = shipped.map(([name, { license }]) => [name, licenceOf(name, license)]).filter(([name, licence]) => !fits(name, licence));
for (const [name, licence] of refused)
  console.error(`Expected a permissive licence for ${name} but received ${JSON.stringify(licence ?? 'none')}.`);
process.exit(shipped.length === 0 || refused.length > 0 ? 1 : 0);
