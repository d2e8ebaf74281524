// What ships with the product, by the lock file: for the check of licences, and for the file that carries them.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './ensure.mjs';

// Development dependencies by the manifest, yet they travel with the product: compiled into the window, or the desktop shell itself.
const BUNDLED = ['node_modules/svelte', 'node_modules/electron'];

function ships([name, { dev, devOptional }]) {
  return name !== '' && ((!dev && !devOptional) || BUNDLED.includes(name));
}

/** Their folders, versions and licences: as the installed package says; for another platform's package, as the lock does. */
export function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(ships)
    .map(([name, { version, license }]) => {
      const manifest = path.join(root, name, 'package.json');
      const installed = existsSync(manifest);
      return { name, version, installed, licence: installed ? JSON.parse(readFileSync(manifest, 'utf8')).license : license };
    });
}
