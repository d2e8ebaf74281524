// Every package that ships with the product must have a licence that fits MIT.
import { shippedPackages } from './shipped.mjs';

const ALLOWED = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
  '(MIT AND Zlib)',
  'Python-2.0',
  '(MIT OR CC0-1.0)',
  '(BSD-3-Clause OR GPL-2.0)',
]);
// libvips is a shared library beside sharp, loaded at run time and replaceable by its user: what the LGPL asks for.
const LINKED_LIBRARY = /^node_modules\/@img\/sharp-/u;
const LINKED_LICENCE = /^(Apache-2\.0 AND )?LGPL-3\.0-or-later( AND MIT)?$/u;

function fits(name, licence) {
  return ALLOWED.has(licence) || (LINKED_LIBRARY.test(name) && LINKED_LICENCE.test(licence ?? ''));
}

const shipped = shippedPackages();
const refused = shipped.filter(({ name, licence }) => !fits(name, licence));
for (const { name, licence } of refused)
  console.error(`Expected a permissive licence for ${name} but received ${JSON.stringify(licence ?? 'none')}.`);
process.exit(shipped.length === 0 || refused.length > 0 ? 1 : 0);
