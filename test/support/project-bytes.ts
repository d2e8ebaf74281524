import { buffer } from 'node:stream/consumers';
import type { Project } from '#contract/project.js';
import type { PictureStore } from '#service/pictures.js';
import { writeProjectFile } from '#service/project-file.js';

/** A project's file as a whole. */
export async function projectBytes(project: Project, store: PictureStore): Promise<Buffer> {
  const { bytes, body } = await writeProjectFile(project, store);
  const file = await buffer(body);
  if (file.length !== bytes) throw new Error(`Expected ${String(bytes)} bytes of a project but received ${String(file.length)}.`);
  return file;
}
