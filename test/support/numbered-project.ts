import type { Project } from '#contract/project.js';
import type { PictureId } from '#contract/request.js';
import { grayPng } from './fake-engine.js';

/** Large enough that a kill may come in the midst of it. */
const BYTES = 400_000;

/** A picture that says its number from its first byte to its last. */
export function numberedPicture(number: number): Uint8Array {
  return Buffer.concat([grayPng(2, 2, number % 256), Buffer.alloc(BYTES, number % 256)]);
}

export function numberedProject(number: number, picture: PictureId): Project {
  const sheet = { picture, mask: { steps: [], length: 0 }, blank: false };
  return { sheets: [sheet], open: 0, settings: { seed: number }, results: [], chosen: 0, others: [], done: [], undone: [] };
}
