import * as v from 'valibot';
import type { PictureInfo } from '#contract/api.js';
import { ExpectedError } from '#contract/errors.js';
import { picturesOf, Project, withPictures } from '#contract/project.js';
import { OUTPUT_FORMATS, PictureId } from '#contract/request.js';
import type { PictureStore } from './pictures.js';

/** The version that this program writes. Older ones stay readable; newer ones are refused by number. */
const FORMAT = 2;

const Versioned = v.looseObject({ scalebrush: v.pipe(v.number(), v.integer(), v.minValue(1)) });

/** A project as it lies on a disk: beside it lie its pictures, in this order. */
export const StoredProject = v.object({
  scalebrush: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(FORMAT)),
  pictures: v.pipe(
    v.array(v.object({ id: PictureId, name: v.string(), format: v.picklist(OUTPUT_FORMATS), sha256: v.pipe(v.string(), v.hexadecimal()) })),
    v.maxLength(9999),
  ),
  project: Project,
});
export type StoredProject = v.InferOutput<typeof StoredProject>;
export type StoredEntry = StoredProject['pictures'][number];

/** Throws `project.newer` or `project.unreadable`. */
export function parseStoredProject(value: unknown): StoredProject {
  const versioned = v.safeParse(Versioned, value);
  if (versioned.success && versioned.output.scalebrush > FORMAT) {
    throw new ExpectedError(
      'project.newer',
      `Expected a project of version ${String(FORMAT)} but received version ${String(versioned.output.scalebrush)}.`,
    );
  }
  const parsed = v.safeParse(StoredProject, value);
  if (!parsed.success) throw unreadable(`${v.getDotPath(parsed.issues[0]) ?? 'its description'} is not as it should be`);
  const named = new Set(parsed.output.pictures.map(({ id }) => id));
  const missing = picturesOf(parsed.output.project).find((id) => !named.has(id));
  if (missing !== undefined) throw unreadable(`the picture ${missing} is missing`);
  return parsed.output;
}

/** A picture where it lies, and how it comes to the store. */
export interface FoundPicture {
  readonly sha256: string;
  readonly add: () => Promise<PictureInfo>;
}

/** Gives every picture of a stored project to the store and the project their new names. */
export async function adoptProject(
  { project, pictures }: StoredProject,
  find: (entry: StoredEntry, index: number) => Promise<FoundPicture>,
  store: PictureStore,
): Promise<Project> {
  const names = new Map<PictureId, PictureId>();
  try {
    for (const [index, entry] of pictures.entries()) {
      const { sha256, add } = await find(entry, index);
      if (sha256 !== entry.sha256) throw unreadable(`the picture ${entry.name} is not what it was`);
      // From a disk that others can write to: the engine looks at it first, as at any picture.
      names.set(entry.id, (await add()).id);
    }
  } catch (error) {
    for (const id of names.values()) await store.remove(id);
    throw error;
  }
  return withPictures(project, (id) => names.get(id) ?? id);
}

export function storedProject(project: Project, pictures: StoredProject['pictures']): StoredProject {
  return { scalebrush: FORMAT, pictures, project };
}

export function unreadable(why: string): ExpectedError {
  return new ExpectedError('project.unreadable', `Expected a whole Scalebrush project but ${why}.`);
}
