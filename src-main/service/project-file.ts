import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { crc32 as crc32Of } from 'node:zlib';
import { ExpectedError } from '#contract/errors.js';
import { picturesOf, type Project } from '#contract/project.js';
import { readJsonFile } from '#packs/json-file.js';
import type { Pieces } from './files.js';
import type { PictureStore } from './pictures.js';
import { unpackProject, type UnpackedEntry } from './project-zip.js';
import { digestsOf } from './digest.js';
import { adoptProject, parseStoredProject, storedProject, unreadable, type StoredEntry } from './project-store.js';
import { zipBytes, zipPieces, type ZipEntry } from './stored-zip.js';

const DESCRIPTION = 'project.json';
const MAX_DEPTH = 24;

/**
 * A project as one file: a zip of its description and of the very bytes of its pictures, which are read as it is written.
 *
 * @throws ExpectedError `picture.unknown`, or `output.unwritable` where it would be larger than what opens again.
 */
export async function writeProjectFile(project: Project, store: Pick<PictureStore, 'file'>): Promise<Pieces> {
  const unread = picturesOf(project).map((id) => {
    const { file, bytes, name, format } = store.file(id);
    return { file, bytes, crc32: 0, entry: { id, name, format, sha256: NO_DIGEST } };
  });
  // Digests are all of one length: what is too large is known before gigabytes are read for nothing.
  expectOpensAgain(archiveOf(project, unread));
  const pictures: PackedPicture[] = [];
  for (const { file, bytes, entry } of unread) {
    const { sha256, crc32 } = await digestsOf(createReadStream(file));
    pictures.push({ file, bytes, crc32, entry: { ...entry, sha256 } });
  }
  const archive = archiveOf(project, pictures);
  return { bytes: zipBytes(archive), body: zipPieces(archive) };
}

interface PackedPicture {
  readonly file: string;
  readonly bytes: number;
  readonly crc32: number;
  readonly entry: StoredEntry;
}

const NO_DIGEST = '0'.repeat(64);

/** The description comes first. */
function archiveOf(project: Project, pictures: readonly PackedPicture[]): readonly ZipEntry[] {
  const description = Buffer.from(JSON.stringify(storedProject(project, pictures.map(({ entry }) => entry)))); // prettier-ignore
  const first = { name: DESCRIPTION, bytes: description.length, crc32: crc32Of(description), body: () => [description] };
  const files = pictures.map(({ file, bytes, crc32, entry }, index) => {
    return { name: pathOf(entry, index), bytes, crc32, body: () => createReadStream(file) as AsyncIterable<Buffer> };
  });
  return [first, ...files];
}

function expectOpensAgain(archive: readonly ZipEntry[]): void {
  const bytes = zipBytes(archive);
  if (bytes <= MAX_BYTES && (archive[0]?.bytes ?? 0) <= MAX_DESCRIPTION_BYTES) return;
  const most = `at most ${String(MAX_BYTES)} bytes for a project, which is what opens again,`;
  throw new ExpectedError('output.unwritable', `Expected ${most} but it would take ${String(bytes)}.`);
}

/** A photograph, its steps and its candidates. */
const MAX_BYTES = 1024 ** 3;
const MAX_DESCRIPTION_BYTES = 512 * 1024 ** 2;

/** The file's bytes, at once or as they arrive. */
export interface ProjectSource {
  readonly body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly declaredBytes?: number | undefined;
}

/**
 * Opens such a file, of this version or an older one. A project names no path: nothing beyond its own archive is read. It lies
 * on the disk while it is read, and so do its pictures: memory holds the description alone.
 *
 * @throws BodyTooLargeError, ExpectedError `project.unreadable`, `project.newer`, or what the store says of a picture.
 */
export async function readProjectFile({ body, declaredBytes }: ProjectSource, store: PictureStore): Promise<Project> {
  const tooLarge = 'project.unreadable' as const;
  const receiving = { maxBytes: MAX_BYTES, label: 'the project', tooLarge, declaredBytes, expectKind: expectArchive };
  return store.withFile(receiving, body, async (archive) => {
    const folder = `${archive}.entries`;
    await mkdir(folder, { mode: 0o700 });
    try {
      return await adoptEntries(await unpackProject(archive, folder), store);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function adoptEntries(entries: ReadonlyMap<string, UnpackedEntry>, store: PictureStore): Promise<Project> {
  const description = entries.get(DESCRIPTION);
  if (!description) throw unreadable(`it has no ${DESCRIPTION}`);
  const stored = parseStoredProject(await jsonOf(description.file));
  const found = (entry: StoredEntry, index: number) => {
    const { file, sha256 } = entries.get(pathOf(entry, index)) ?? { file: '', sha256: '' };
    if (file === '') throw unreadable(`the picture ${entry.name} is missing`);
    return Promise.resolve({ sha256, add: () => store.adopt(file, entry.name) });
  };
  return adoptProject(stored, found, store);
}

function expectArchive(head: Uint8Array): void {
  if (String.fromCharCode(...head.subarray(0, 4)) !== 'PK\x03\x04') throw unreadable('the file is cut or damaged');
  if (((head[6] ?? 0) & 1) === 1) throw unreadable('it is encrypted');
}

function pathOf({ format }: StoredEntry, index: number): string {
  return `pictures/${String(index)}.${format}`;
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return await readJsonFile(file, DESCRIPTION, { maxBytes: MAX_DESCRIPTION_BYTES, maxDepth: MAX_DEPTH });
  } catch {
    throw unreadable('its description cannot be read');
  }
}
