import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { picturesOf, withPictures, type Project } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';
import { readJsonFile } from '#packs/json-file.js';
import { saveFile } from './files.js';
import { isAlive } from './picture-folder.js';
import type { PictureStore } from './pictures.js';
import {
  adoptProject,
  digestOf,
  parseStoredProject,
  storedEntry,
  storedProject,
  type FoundPicture,
  type StoredEntry,
} from './project-store.js';

const DESCRIPTION = 'project.json';
const LIMITS = { maxBytes: 512 * 1024 * 1024, maxDepth: 24 };
/** Journals that nobody came back for. */
const MOST_LEFT = 5;

/** What each window has on its table, on the disk: it comes back after a crash, a restart, or a reload. */
export interface Journal {
  /** Replaces what the window had; nothing on the table leaves nothing on the disk. Throws `output.unwritable`. */
  write(owner: string, project: Project | null): Promise<void>;
  /** What this window had, or else what the last window had of a program that has ended; that is this window's from then on. */
  recover(owner: string): Promise<Project | null>;
}

export interface JournalParts {
  readonly folder: string;
  readonly pictures: PictureStore;
}

interface Left {
  readonly owner: string;
  readonly writtenMs: number;
}

export function openJournal({ folder, pictures }: JournalParts): Journal {
  /** Writes of one window come one after the other. */
  const last = new Map<string, Promise<void>>();
  const own = (owner: string) => join(folder, `${owner}.${String(process.pid)}`);
  return {
    write: (owner, project) => {
      const writing = (last.get(owner) ?? Promise.resolve())
        .catch(() => undefined)
        .then(() => (project ? writeTable(own(owner), project, pictures) : rm(own(owner), { recursive: true, force: true })));
      last.set(owner, writing);
      return writing;
    },
    recover: async (owner) => {
      await last.get(owner)?.catch(() => undefined);
      const mine = await readTable(own(owner), pictures);
      if (mine) return mine;
      for (const left of await takeLeft(folder)) {
        await rm(own(owner), { recursive: true, force: true });
        // Another window may have been quicker.
        if (!(await rename(join(folder, left.owner), own(owner)).then(() => true, () => false))) continue; // prettier-ignore
        const project = await readTable(own(owner), pictures);
        if (project) return project;
      }
      return null;
    },
  };
}

/** Pictures first, then the description as a whole, then what it no longer names: killed anywhere, it is old or new. */
export async function writeTable(folder: string, project: Project, pictures: PictureStore): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = new Map((await describedIn(folder)).map((entry) => [entry.id, entry]));
  const entries: StoredEntry[] = [];
  for (const id of picturesOf(project)) entries.push(known.get(id) ?? (await writePicture(folder, id, pictures)));
  await saveFile(join(folder, DESCRIPTION), Buffer.from(JSON.stringify(storedProject(project, entries))));
  const named = new Set<string>([DESCRIPTION, ...entries.map(({ id }) => id)]);
  for (const name of await readdir(folder)) if (!named.has(name)) await rm(join(folder, name), { force: true });
}

async function writePicture(folder: string, id: PictureId, pictures: PictureStore): Promise<StoredEntry> {
  const picture = await pictures.get(id);
  await saveFile(join(folder, id), picture.bytes);
  return storedEntry(id, picture);
}

/** The pictures that are already there, whole. */
async function describedIn(folder: string): Promise<readonly StoredEntry[]> {
  try {
    return parseStoredProject(await readJsonFile(join(folder, DESCRIPTION), DESCRIPTION, LIMITS)).pictures;
  } catch {
    return [];
  }
}

/** A journal that cannot be read is no reason not to start. */
export async function readTable(folder: string, pictures: PictureStore): Promise<Project | undefined> {
  try {
    const stored = parseStoredProject(await readJsonFile(join(folder, DESCRIPTION), DESCRIPTION, LIMITS));
    // After a reload of the window the service still holds them.
    if (await holdsAll(pictures, picturesOf(stored.project))) return withPictures(stored.project, (id) => id);
    const project = await adoptProject(stored, (entry) => foundIn(folder, entry, pictures), pictures);
    await writeTable(folder, project, pictures);
    return project;
  } catch {
    return undefined;
  }
}

async function foundIn(folder: string, { id, name }: StoredEntry, pictures: PictureStore): Promise<FoundPicture> {
  const bytes = await readFile(join(folder, id));
  return { sha256: digestOf(bytes), add: () => pictures.add(bytes, name) };
}

async function holdsAll(pictures: PictureStore, ids: readonly PictureId[]): Promise<boolean> {
  return Promise.all(ids.map((id) => pictures.describe(id))).then(
    () => true,
    () => false,
  );
}

/** Journals of programs that have ended, the latest first; the oldest go. */
async function takeLeft(folder: string): Promise<readonly Left[]> {
  const left: Left[] = [];
  for (const owner of await readdir(folder).catch(() => [])) {
    const pid = /\.(\d+)$/u.exec(owner)?.[1];
    const writtenMs = await stat(join(folder, owner, DESCRIPTION)).then(({ mtimeMs }) => mtimeMs, () => 0); // prettier-ignore
    // Numbers of processes begin anew when the machine does.
    const startedMs = Date.now() - uptime() * 1000;
    if (pid !== undefined && (writtenMs < startedMs || !isAlive(Number(pid)))) left.push({ owner, writtenMs });
  }
  left.sort((a, b) => b.writtenMs - a.writtenMs);
  for (const { owner } of left.slice(MOST_LEFT)) await rm(join(folder, owner), { recursive: true, force: true });
  return left.slice(0, MOST_LEFT).filter(({ writtenMs }) => writtenMs > 0);
}
