import { basename } from 'node:path';
import { ExpectedError } from '#contract/errors.js';
import type { PackFile } from '#contract/pack-card.js';
import type { ForeignDepth, InspectReport } from '#engine/door/engine.js';
import type { PackSource } from '#engine/door/published.js';

type Role = PackFile['role'];

interface Part {
  readonly role: Role;
  /** Its name in the pack. */
  readonly name: string;
  readonly beside: Role;
  /** What a pack calls its own. */
  readonly taken: readonly string[];
}

/** An ONNX model and what it names beside itself, under the very names that it uses. */
export function foreignSources(
  { file, sizeBytes }: InspectReport,
  { external }: Pick<ForeignDepth, 'external'>,
  part: Part,
): readonly PackSource[] {
  const weights = external.map((one) => ({
    role: part.beside,
    path: one.file,
    files: [one.file],
    bytes: one.bytes,
    name: basename(one.file),
  }));
  const taken = weights.find(({ name }) => part.taken.includes(name.toLowerCase()));
  if (taken) throw new ExpectedError('weights.refused', `Expected another name for the weights of ${basename(file)} than ${taken.name}.`);
  return [{ role: part.role, path: file, files: [file], bytes: sizeBytes, name: part.name }, ...weights];
}
