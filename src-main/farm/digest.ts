import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sha256 } from '#contract/farm.js';
import type { AnyCard } from '#contract/pack-card.js';
import { packageRoot } from '#packs/places.js';
import { digestOf } from '#service/digest.js';

/** Of all that a pack does to a picture: its card with the digests of its files, without the places where they lie. */
export function packDigest(cards: readonly AnyCard[]): Sha256 {
  return digestOf(cards.map(({ files, ...card }) => ({ ...card, files: files.map(({ at: _at, madeOf: _madeOf, ...file }) => file) })));
}

/** Another version of the program or of the runtime may draw other bytes. */
export function engineVersion(): string {
  const { version, dependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly version: string;
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return `${version} ${dependencies['onnxruntime-node'] ?? ''}`;
}
