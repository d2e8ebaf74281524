import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackVerification } from '#contract/api.js';
import type { AnyCard, PackFile } from '#contract/pack-card.js';
import { errnoOf } from './json-file.js';

type FileVerdict = PackVerification['files'][number];

/** Compares every file that the card names with its size and SHA-256; reads each once, in pieces. */
export async function verifyFolder(card: AnyCard, folder: string): Promise<PackVerification> {
  const files: FileVerdict[] = [];
  for (const file of card.files) files.push(await verifyFile(file, folder));
  return { name: card.name, ok: files.every((file) => file.ok), files };
}

async function verifyFile(file: PackFile, folder: string): Promise<FileVerdict> {
  const reason = await whatIsWrong(file, join(folder, file.name));
  return reason === undefined ? { name: file.name, ok: true } : { name: file.name, ok: false, reason };
}

async function whatIsWrong(file: PackFile, path: string): Promise<string | undefined> {
  try {
    const facts = await lstat(path);
    if (!facts.isFile()) return `Expected a regular file for ${file.name} but received something else.`;
    if (facts.size !== file.bytes) return sizeComplaint(file, facts.size);
    const sha256 = await sha256Of(path);
    return sha256 === file.sha256 ? undefined : hashComplaint(file, sha256);
  } catch (error) {
    return `Expected a readable file for ${file.name} but it could not be read (${errnoOf(error)}).`;
  }
}

export function sizeComplaint(file: PackFile, bytes: number): string {
  return `Expected ${String(file.bytes)} bytes for ${file.name} but received ${String(bytes)}.`;
}

export function hashComplaint(file: PackFile, sha256: string): string {
  return `Expected SHA-256 ${file.sha256} for ${file.name} but received ${sha256}.`;
}

/** Of a file; `onPiece` may throw to give it up. */
export async function sha256Of(path: string, onPiece?: () => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    onPiece?.();
  }
  return hash.digest('hex');
}
