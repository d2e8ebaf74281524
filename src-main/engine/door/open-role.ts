import { ExpectedError } from '#contract/errors.js';
import type { AnyCard, PackFile } from '#contract/pack-card.js';
import type { Checkpoint, FileIdentity } from '#engine/weights/checkpoint.js';
import { Weights } from '#engine/weights/handle.js';
import { assertUnchanged } from '#engine/weights/identity.js';
import { openCheckpoint } from '#engine/weights/open.js';
import type { InstalledPack } from './engine.js';
import { pathOf } from './pack-files.js';

/** What stands on files. */
export interface Opened {
  /** Refuses to go on with weights that were replaced or cut since they were opened. */
  assertUnchanged(): Promise<void>;
  release(): Promise<void>;
}

type Role = PackFile['role'];

export function hasRole(card: AnyCard, role: Role): boolean {
  return card.files.some((file) => file.role === role);
}

/** The file of a role, for roles that have one. */
export function onlyFile({ card, folder }: InstalledPack<AnyCard>, role: Role): { readonly file: string; readonly entry: PackFile } {
  const entry = card.files.find((candidate) => candidate.role === role);
  if (!entry) throw new ExpectedError('pack.damaged', `Expected a ${role} file in the pack "${card.name}" but its card names none.`);
  return { file: pathOf(folder, entry), entry };
}

interface OpenRole {
  readonly weights: Weights;
  /** Each file by itself. */
  readonly files: readonly Weights[];
  readonly identities: readonly FileIdentity[];
}

/** The weights of a role; where they lie in several files, the tensors of all. */
export async function openRole(pack: InstalledPack<AnyCard>, role: Role): Promise<OpenRole> {
  const parts: Checkpoint[] = [];
  for (const entry of pack.card.files) if (entry.role === role) parts.push(await openEntry(pack, entry));
  const [first] = parts;
  if (!first) throw new ExpectedError('pack.damaged', `Expected a ${role} file in the pack "${pack.card.name}" but its card names none.`);
  const tensors = new Map(parts.flatMap((part) => [...part.tensors]));
  const identities = parts.map(({ identity }) => identity);
  return { weights: Weights.of({ ...first, shards: identities, tensors }), files: parts.map((part) => Weights.of(part)), identities };
}

async function openEntry(pack: InstalledPack<AnyCard>, entry: PackFile): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(pathOf(pack.folder, entry));
  expectSame(entry, checkpoint.identity);
  return checkpoint;
}

/** @throws ExpectedError `pack.damaged` where the file is not as long as the card says, or was changed since it was opened in place. */
export function expectSame(entry: PackFile, { sizeBytes, modifiedMs }: FileIdentity): void {
  if (sizeBytes !== entry.bytes)
    throw new ExpectedError('pack.damaged', `Expected ${entry.bytes} bytes in ${entry.name} but received ${sizeBytes}.`);
  if (entry.at && entry.at.modifiedMs !== modifiedMs)
    throw new ExpectedError('pack.damaged', `Expected ${entry.at.path} as it was when the pack was made but it was changed since.`);
}

export async function assertAllUnchanged(identities: readonly FileIdentity[]): Promise<void> {
  for (const identity of identities) await assertUnchanged(identity);
}
