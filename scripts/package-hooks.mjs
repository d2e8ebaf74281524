// What electron-builder calls while it packs: the licences of everything that ships go in, and the sizes are told.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './ensure.mjs';
import { shippedPackages } from './shipped.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice|third[-_]?party)/iu;
/** libvips is under them, and its package carries no copy. */
const LGPL = ['LGPL-3.0.txt', 'GPL-3.0.txt'].map((name) => path.join(root, 'build/licences', name));
const MEGABYTE = 2 ** 20;

export function beforePack() {
  writeFileSync(path.join(root, 'dist/THIRD_PARTY.txt'), thirdParty());
}

export function afterPack({ appOutDir, electronPlatformName, arch }) {
  const runtime = path.join(resourcesIn(appOutDir), 'app.asar.unpacked/node_modules/onnxruntime-node/bin');
  console.log(`  • unpacked ${electronPlatformName} (arch ${arch}): ${megabytes(appOutDir)}, ONNX Runtime in it: ${megabytes(runtime)}`);
}

export function afterAllArtifactBuild({ artifactPaths }) {
  for (const file of artifactPaths) console.log(`  • ${path.basename(file)}: ${megabytes(file)}`);
  return [];
}

/** One entry per package that this machine installed: those of other systems are in no package of this one. */
export function thirdParty() {
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

function resourcesIn(folder) {
  const bundle = readdirSync(folder).find((name) => name.endsWith('.app'));
  return bundle ? path.join(folder, bundle, 'Contents/Resources') : path.join(folder, 'resources');
}

function megabytes(place) {
  return `${(bytesIn(place) / MEGABYTE).toFixed(1)} MB`;
}

function bytesIn(place) {
  const facts = statSync(place, { throwIfNoEntry: false });
  if (!facts?.isDirectory()) return facts?.size ?? 0;
  return readdirSync(place).reduce((sum, name) => sum + bytesIn(path.join(place, name)), 0);
}
