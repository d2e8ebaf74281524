// What electron-builder calls while it packs: the sizes are told.
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

const MEGABYTE = 2 ** 20;

export function afterPack({ appOutDir, electronPlatformName, arch }) {
  const runtime = path.join(resourcesIn(appOutDir), 'app.asar.unpacked/node_modules/onnxruntime-node/bin');
  console.log(`  • unpacked ${electronPlatformName} (arch ${arch}): ${megabytes(appOutDir)}, ONNX Runtime in it: ${megabytes(runtime)}`);
}

export function afterAllArtifactBuild({ artifactPaths }) {
  for (const file of artifactPaths) console.log(`  • ${path.basename(file)}: ${megabytes(file)}`);
  return [];
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
