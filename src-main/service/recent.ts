import { randomUUID } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { ExpectedError } from '#contract/errors.js';
import type { Project } from '#contract/project.js';
import { RecentDocument, type RecentKeep } from '#contract/recent.js';
import { readJsonFile } from '#packs/json-file.js';
import { saveFile } from './files.js';
import { readTable, writeTable } from './journal.js';
import type { PictureStore } from './pictures.js';
import { makePrivateFolder, PRIVATE_FILE } from './private-folder.js';

const LIMITS = { maxBytes: 1024 * 1024, maxDepth: 4 };
/** Each holds every step of a document. */
const MOST_RECENT = 12;
const FORGOTTEN_MS = 60 * 60 * 1000;

/** Documents that were closed, with everything: pictures, masks, steps, what could be undone. */
export interface Recent {
  /** Throws `output.unwritable`, and `picture.unknown` where a picture of it is gone. */
  keep(document: v.InferOutput<typeof RecentKeep>): Promise<RecentDocument>;
  /** The last one first. */
  list(): Promise<readonly RecentDocument[]>;
  /** Throws `project.unreadable`. */
  open(id: string): Promise<Project>;
  remove(id: string): Promise<void>;
}

export interface RecentParts {
  readonly folder: string;
  readonly pictures: PictureStore;
}

/** A folder for each document, as in the journal, and beside it what is said of it: that comes last, and goes first. */
export function openRecent({ folder, pictures }: RecentParts): Recent {
  const saidOf = (id: string) => join(folder, `${id}.json`);
  const remove = async (id: string): Promise<void> => {
    await rm(saidOf(id), { force: true });
    await rm(join(folder, id), { recursive: true, force: true });
  };
  const list = () => documentsIn(folder);
  return {
    list,
    remove,
    keep: async ({ project, id = randomUUID(), ...said }) => {
      await makePrivateFolder(folder);
      await writeTable(join(folder, id), project, pictures);
      const document = { id, closedMs: Date.now(), ...said };
      await saveFile(saidOf(id), Buffer.from(JSON.stringify(document)), { mode: PRIVATE_FILE });
      await sweepUnsaid(folder);
      for (const { id: old } of (await list()).slice(MOST_RECENT)) await remove(old);
      return document;
    },
    open: async (id) => {
      const project = await readTable(join(folder, id), pictures);
      if (!project)
        throw new ExpectedError('project.unreadable', 'Expected a document that was closed but it is no longer there, or damaged.');
      return project;
    },
  };
}

/** Folders of documents of which nothing was said: whoever kept them was killed before. */
async function sweepUnsaid(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of names) {
    if (!/^[0-9a-f-]{36}$/u.test(name) || names.has(`${name}.json`)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    // Another program may be about to.
    if (Date.now() - mtimeMs > FORGOTTEN_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function documentsIn(folder: string): Promise<readonly RecentDocument[]> {
  const documents: RecentDocument[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.endsWith('.json')) continue;
    const read = await readJsonFile(join(folder, name), name, LIMITS).catch(() => undefined);
    const said = v.safeParse(RecentDocument, read);
    if (said.success && `${said.output.id}.json` === name) documents.push(said.output);
  }
  return documents.sort((a, b) => b.closedMs - a.closedMs);
}
