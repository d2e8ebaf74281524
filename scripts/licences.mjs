// The licences of everything that ships, as one text: the build of the window puts it beside the page.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './ensure.mjs';
import { shippedPackages } from './shipped.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third[-_]?party)/iu;
/** libvips is under them, and its package carries no copy. */
const LGPL = ['LGPL-3.0.txt', 'GPL-3.0.txt'].map((name) => path.join(root, 'build/licences', name));

/** The program's own, which is that of its pack, and those of its parts. */
export function licences() {
  return `${readFileSync(path.join(root, 'LICENSE'), 'utf8').trim()}\n\n${thirdParty()}\n`;
}

/** One entry per package that this machine installed: those of other systems are in no package of this one. */
function thirdParty() {
  const entries = shippedPackages()
    .filter(({ installed }) => installed)
    .map(
      ({ name, version, licence }) =>
        `${name.replace(/^.*node_modules\//u, '')} ${version}\n${licence}\n\n${textsOf(path.join(root, name), licence)}`,
    );
  const intro = 'Scalebrush is built with the packages below, each under its own licence. Electron’s own are in LICENSES.chromium.html.';
  return [intro, ...entries].join(`\n\n${'-'.repeat(80)}\n\n`);
}

function textsOf(folder, licence) {
  const own = readdirSync(folder).filter((name) => LICENCE_FILE.test(name) && statSync(path.join(folder, name)).isFile());
  const files = [...own.map((name) => path.join(folder, name)), ...(licence.includes('LGPL') ? LGPL : [])];
  return files.map((file) => readFileSync(file, 'utf8').trim()).join('\n\n');
}
