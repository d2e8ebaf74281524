import { strFromU8, strToU8, unzipSync, zipSync, type Unzipped, type UnzipFileInfo, type Zippable } from 'fflate';
import { ExpectedError } from '#contract/errors.js';
import { picturesOf, type Project } from '#contract/project.js';
import { parseBoundedJson } from '#packs/json-file.js';
import type { PictureStore } from './pictures.js';
import { adoptProject, parseStoredProject, storedEntry, storedProject, unreadable, type StoredEntry } from './project-store.js';

const DESCRIPTION = 'project.json';
/** Nothing else is ever written, so nothing else is read. */
const ENTRY = /^(?:project\.json|pictures\/\d{1,4}\.(?:png|jpeg|webp|tiff|avif))$/u;
const MAX_DEPTH = 24;
const MAX_BYTES = 2 * 1024 ** 3;
/** Text shrinks a hundredfold at most, pictures not at all. */
const MAX_RATIO = 200;
const SMALL_BYTES = 1024 ** 2;

/** A project as one file: a zip of its description and of the very bytes of its pictures. */
export async function writeProjectFile(project: Project, store: PictureStore): Promise<Uint8Array> {
  const files: Zippable = {};
  const entries: StoredEntry[] = [];
  for (const id of picturesOf(project)) {
    const picture = await store.get(id);
    const entry = storedEntry(id, picture);
    // Pictures are compressed already.
    files[pathOf(entry, entries.length)] = [picture.bytes, { level: 0 }];
    entries.push(entry);
  }
  return zipSync({ [DESCRIPTION]: strToU8(JSON.stringify(storedProject(project, entries))), ...files });
}

/**
 * Opens such a file, of this version or an older one. A project names no path: nothing beyond its own archive is read.
 *
 * @throws ExpectedError `project.unreadable`, `project.newer`, or what the store says of a picture.
 */
export async function readProjectFile(bytes: Uint8Array, store: PictureStore): Promise<Project> {
  const files = unzipped(bytes);
  const description = files[DESCRIPTION];
  if (!description) throw unreadable(`it has no ${DESCRIPTION}`);
  const stored = parseStoredProject(jsonOf(strFromU8(description)));
  return adoptProject(
    stored,
    (entry, index) => {
      const found = files[pathOf(entry, index)];
      if (!found) throw unreadable(`the picture ${entry.name} is missing`);
      return found;
    },
    store,
  );
}

function pathOf({ format }: StoredEntry, index: number): string {
  return `pictures/${String(index)}.${format}`;
}

function jsonOf(text: string): unknown {
  try {
    return parseBoundedJson(text, DESCRIPTION, MAX_DEPTH);
  } catch {
    throw unreadable('its description cannot be read');
  }
}

/** Claims are checked before a byte is inflated; an entry inflates to what it claims at most. */
function unzipped(bytes: Uint8Array): Unzipped {
  const seen = new Set<string>();
  let total = 0;
  const filter = ({ name, size, originalSize }: UnzipFileInfo): boolean => {
    if (!ENTRY.test(name)) throw unreadable(`it has an entry ${JSON.stringify(name.slice(0, 80))}`);
    if (seen.has(name)) throw unreadable(`it has ${name} twice`);
    seen.add(name);
    total += originalSize;
    if (total > MAX_BYTES || originalSize > Math.max(SMALL_BYTES, size * MAX_RATIO)) throw unreadable('it is larger than any project');
    return true;
  };
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    throw error instanceof ExpectedError ? error : unreadable('the file is cut or damaged');
  }
}
