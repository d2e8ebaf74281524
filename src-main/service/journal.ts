import { constants } from 'node:fs';
import { lstat, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { uptime } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { picturesOf, withPictures, type Project } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';
import { ExpectedError } from '#contract/errors.js';
import { errnoOf, NO_FOLLOW, readJsonFile } from '#packs/json-file.js';
import { OWNER, ownerMark, verdictOn } from '#packs/owner.js';
import { saveFile } from './files.js';
import type { PictureStore } from './pictures.js';
import {
  adoptProject,
  parseStoredProject,
  storedProject,
  type FoundPicture,
  type StoredEntry,
  type StoredProject,
} from './project-store.js';
import { BodyTooLargeError } from './receive.js';
import { makePrivateFolder, PRIVATE_FILE } from './private-folder.js';
import { digestsOf } from './digest.js';

const DESCRIPTION = 'project.json';
const LIMITS = { maxBytes: 512 * 1024 * 1024, maxDepth: 24, ownFile: true };
/** How often a program shows that it lives to those who cannot see its process: in other containers, on other machines. */
const SIGN_MS = 2000;
/** Whoever gave no sign for so long has ended. */
const SILENT_MS = 3 * SIGN_MS;
/** Journals that nobody came back for. */
const MOST_LEFT = 5;

/** What each window has on its table, on the disk: it comes back after a crash, a restart, or a reload. */
export interface Journal {
  /** Replaces what the window had; nothing on the table leaves nothing on the disk. Throws `output.unwritable`. */
  write(owner: string, project: Project | null): Promise<void>;
  /**
   * What this window had, or else what the last window had of a program that has ended; that is this window's from then on.
   * Throws what keeps it from being opened now, such as `output.unwritable`: then it waits for another time.
   */
  recover(owner: string): Promise<Project | null>;
}

export interface JournalParts {
  readonly folder: string;
  readonly pictures: PictureStore;
  /** Tests need not wait. */
  readonly signMs?: number;
}

interface Left {
  readonly owner: string;
  readonly writtenMs: number;
  /** When its program gave the last sign. */
  readonly signMs: number;
}

export function openJournal({ folder, pictures, signMs = SIGN_MS }: JournalParts): Journal {
  /** Writes of one window come one after the other. */
  const last = new Map<string, Promise<void>>();
  const own = (owner: string) => join(folder, `${owner}.${ownerMark()}`);
  const signs = new Signs(signMs);
  return {
    write: (owner, project) => {
      const writing = (last.get(owner) ?? Promise.resolve())
        .catch(() => undefined)
        .then(async () => {
          signs.set(own(owner), project !== null);
          await (project ? writeTable(own(owner), project, pictures) : rm(own(owner), { recursive: true, force: true }));
        });
      last.set(owner, writing);
      return writing.finally(() => {
        if (last.get(owner) === writing) last.delete(owner);
      });
    },
    recover: async (owner) => {
      await last.get(owner)?.catch(() => undefined);
      const mine = await readTable(own(owner), pictures);
      if (mine) return mine;
      const all = await takeLeft(folder, signMs);
      let failure: unknown;
      // A window that outlived its service wants its own.
      for (const left of [...all].sort((a, b) => Number(isOf(owner, b)) - Number(isOf(owner, a)))) {
        const project = await taken(join(folder, left.owner), own(owner), pictures).catch((error: unknown) => {
          failure ??= error;
        });
        if (project) signs.set(own(owner), true);
        if (project) return project;
      }
      if (failure !== undefined) throw failure as Error;
      return null;
    },
  };
}

/**
 * One of those that were left, as a window's own; undefined where another window was quicker, or it is damaged. What another
 * user, or a newer version, wrote stays where it is, and so does what cannot be opened now.
 */
async function taken(left: string, own: string, pictures: PictureStore): Promise<Project | undefined> {
  if (await isOfOthers(left)) return undefined;
  await rm(own, { recursive: true, force: true });
  if (!(await rename(left, own).then(() => true, () => false))) return undefined; // prettier-ignore
  try {
    return await readTable(own, pictures);
  } catch (error) {
    await rename(own, left);
    throw error;
  }
}

async function isOfOthers(folder: string): Promise<boolean> {
  const failure = await descriptionIn(folder).then(() => undefined, (error: unknown) => error); // prettier-ignore
  if (failure instanceof ExpectedError) return failure.code === 'project.newer';
  return ['EACCES', 'EPERM'].includes(reasonOf(failure));
}

function isOf(window: string, { owner }: Left): boolean {
  return owner.startsWith(`${window}.`);
}

/** Pictures first, then the description as a whole, then what it no longer names: killed anywhere, it is old or new. */
export async function writeTable(folder: string, project: Project, pictures: PictureStore): Promise<void> {
  await makePrivateFolder(dirname(folder));
  await makePrivateFolder(folder);
  const known = new Map((await describedIn(folder)).map((entry) => [entry.id, entry]));
  const entries: StoredEntry[] = [];
  for (const id of picturesOf(project)) entries.push(known.get(id) ?? (await writePicture(folder, id, pictures)));
  await saveFile(join(folder, DESCRIPTION), Buffer.from(JSON.stringify(storedProject(project, entries))), { mode: PRIVATE_FILE });
  const named = new Set<string>([DESCRIPTION, ...entries.map(({ id }) => id)]);
  for (const name of await readdir(folder)) if (!named.has(name)) await rm(join(folder, name), { force: true });
}

async function writePicture(folder: string, id: PictureId, pictures: PictureStore): Promise<StoredEntry> {
  const { file, bytes, name, format } = pictures.file(id);
  const { sha256 } = await digestsOf(piecesOf(file));
  await saveFile(join(folder, id), { bytes, body: piecesOf(file) }, { mode: PRIVATE_FILE });
  return { id, name, format, sha256 };
}

async function descriptionIn(folder: string): Promise<StoredProject> {
  return parseStoredProject(await readJsonFile(join(folder, DESCRIPTION), DESCRIPTION, LIMITS));
}

/** The pictures that are already there, whole. */
async function describedIn(folder: string): Promise<readonly StoredEntry[]> {
  return descriptionIn(folder).then(({ pictures }) => pictures, () => []); // prettier-ignore
}

/**
 * Undefined where nothing is there, or it is damaged: no reason not to start.
 *
 * @throws what passes, and damages nothing: a full disk, an inference process that dies, a service that holds too much already.
 */
export async function readTable(folder: string, pictures: PictureStore): Promise<Project | undefined> {
  try {
    const stored = await descriptionIn(folder);
    // After a reload of the window the service still holds them.
    if (await holdsAll(pictures, picturesOf(stored.project))) return withPictures(stored.project, (id) => id);
    const project = await adoptProject(stored, (entry) => foundIn(folder, entry, pictures), pictures);
    // It is on the table in any case; what cannot be written now is written with the next deed.
    await writeTable(folder, project, pictures).catch(() => undefined);
    return project;
  } catch (error) {
    if (passes(error)) throw error;
    return undefined;
  }
}

const PASSING = new Set<unknown>(['output.unwritable', 'inference.died', 'memory.too-little']);

function passes(error: unknown): boolean {
  if (error instanceof ExpectedError) return PASSING.has(error.code) || error instanceof BodyTooLargeError;
  return ['EMFILE', 'ENFILE', 'EIO', 'ENOSPC'].includes(reasonOf(error));
}

/** Of the system, which may stand behind ours. */
function reasonOf(error: unknown): string {
  return errnoOf(error instanceof Error ? (error.cause ?? error) : error);
}

async function foundIn(folder: string, { id, name }: StoredEntry, pictures: PictureStore): Promise<FoundPicture> {
  const file = join(folder, id);
  const { sha256 } = await digestsOf(piecesOf(file));
  return { sha256, add: () => pictures.receive({ body: piecesOf(file), name, id }) };
}

/** Opened when the first piece is asked for: what is never read need not be closed. No link is followed. */
async function* piecesOf(file: string): AsyncGenerator<Buffer, void> {
  const handle = await open(file, constants.O_RDONLY | NO_FOLLOW);
  yield* handle.createReadStream() as AsyncIterable<Buffer>;
}

async function holdsAll(pictures: PictureStore, ids: readonly PictureId[]): Promise<boolean> {
  return Promise.all(ids.map((id) => pictures.describe(id))).then(
    () => true,
    () => false,
  );
}

/** While a window has something on its table, its folder is touched every now and then. */
class Signs {
  readonly #everyMs: number;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  set(folder: string, given: boolean): void {
    if (given === this.#timers.has(folder)) return;
    clearInterval(this.#timers.get(folder));
    this.#timers.delete(folder);
    if (!given) return;
    const timer = setInterval(() => {
      const now = new Date();
      utimes(folder, now, now).catch(() => undefined);
    }, this.#everyMs);
    timer.unref();
    this.#timers.set(folder, timer);
  }
}

/** Journals of programs that have ended, the latest first; the oldest go. */
async function takeLeft(folder: string, signMs: number): Promise<readonly Left[]> {
  const found = await journalsIn(folder);
  const judged = found.map((journal) => ({ ...journal, verdict: verdictOf(journal) }));
  const silent = await stillSilent(folder, judged.filter(({ verdict }) => verdict === 'unknown'), signMs); // prettier-ignore
  const left = [...judged.filter(({ verdict }) => verdict === 'dead'), ...silent];
  left.sort((a, b) => b.writtenMs - a.writtenMs);
  for (const { owner } of left.slice(MOST_LEFT)) await rm(join(folder, owner), { recursive: true, force: true });
  return left.slice(0, MOST_LEFT).filter(({ writtenMs }) => writtenMs > 0);
}

async function journalsIn(folder: string): Promise<readonly Left[]> {
  const journals: Left[] = [];
  for (const owner of await readdir(folder).catch(() => [])) {
    const facts = await lstat(join(folder, owner)).catch(() => undefined);
    if (facts?.isDirectory() !== true || !OWNED.test(owner)) continue;
    const writtenMs = await stat(join(folder, owner, DESCRIPTION)).then(({ mtimeMs }) => mtimeMs, () => 0); // prettier-ignore
    journals.push({ owner, writtenMs, signMs: facts.mtimeMs });
  }
  return journals;
}

/** Earlier versions wrote the number of the process alone, and gave no signs. */
const OWNED = new RegExp(`\\.(?:${OWNER.source}|\\d+)$`, 'u');

function verdictOf({ owner, writtenMs }: Left): ReturnType<typeof verdictOn> {
  const mark = OWNED.exec(owner)?.[0].slice(1) ?? '';
  // Bare numbers of processes begin anew when the machine does.
  return !OWNER.test(mark) && writtenMs < Date.now() - uptime() * 1000 ? 'dead' : verdictOn(mark);
}

/** Of those whose programs cannot be seen: which give no sign while we look. By their own clock, which need not be ours. */
async function stillSilent(folder: string, unknown: readonly Left[], signMs: number): Promise<readonly Left[]> {
  if (unknown.length === 0) return [];
  const silentMs = (SILENT_MS / SIGN_MS) * signMs;
  // One that was silent for long needs no looking at.
  if (unknown.some((journal) => Date.now() - journal.signMs < 10 * silentMs)) await pause(silentMs);
  const now = new Map((await journalsIn(folder)).map((journal) => [journal.owner, journal.signMs]));
  return unknown.filter((journal) => now.get(journal.owner) === journal.signMs);
}
