import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat } from 'node:fs/promises';
import type { PackVerification } from '#contract/api.js';
import { CancelledError } from '#contract/errors.js';
import type { AnyCard, PackFile } from '#contract/pack-card.js';
import { pathOf } from '#engine/door/pack-files.js';
import { errnoOf } from './json-file.js';

/** Hears of bytes that were read; throws CancelledError to give it up. */
export type OnBytes = (bytes: number) => void;

const PIECE_BYTES = 1024 * 1024;

type FileVerdict = PackVerification['files'][number];

/** Compares every file that the card names with its size and SHA-256; reads each once, in pieces. */
export async function verifyFolder(card: AnyCard, folder: string, onBytes?: OnBytes): Promise<PackVerification> {
  const files: FileVerdict[] = [];
  for (const file of card.files) files.push(await verifyFile(file, folder, onBytes));
  return { name: card.name, ok: files.every((file) => file.ok), files };
}

async function verifyFile(file: PackFile, folder: string, onBytes?: OnBytes): Promise<FileVerdict> {
  const reason = await whatIsWrong(file, pathOf(folder, file), onBytes);
  return reason === undefined ? { name: file.name, ok: true } : { name: file.name, ok: false, reason };
}

async function whatIsWrong(file: PackFile, path: string, onBytes?: OnBytes): Promise<string | undefined> {
  try {
    const facts = await lstat(path);
    if (!facts.isFile()) return `Expected a regular file for ${file.name} but received something else.`;
    if (facts.size !== file.bytes) return sizeComplaint(file, facts.size);
    const sha256 = await sha256Of(path, onBytes);
    return sha256 === file.sha256 ? undefined : hashComplaint(file, sha256);
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    return `Expected a readable file for ${file.name} but it could not be read (${errnoOf(error)}).`;
  }
}

export function sizeComplaint(file: PackFile, bytes: number): string {
  return `Expected ${String(file.bytes)} bytes for ${file.name} but received ${String(bytes)}.`;
}

export function hashComplaint(file: PackFile, sha256: string): string {
  return `Expected SHA-256 ${file.sha256} for ${file.name} but received ${sha256}.`;
}

/** Of a file; `onBytes` may throw to give it up. */
export async function sha256Of(path: string, onBytes?: OnBytes): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    onBytes?.(piece.byteLength);
  }
  return hash.digest('hex');
}
