import { basename } from 'node:path';
import type { Extent } from '#base/geometry.js';
import type { PictureInfo } from '#contract/api.js';
import type { Notice } from '#contract/event.js';
import type { Framing } from '#contract/framing.js';
import type { EditRequestInput, PictureId } from '#contract/request.js';
import { readPictureFile } from '#service/files.js';
import type { Context } from './command.js';
import type { ControlWish, CopyWish } from './task-options.js';

export interface InputFiles {
  readonly source: string | undefined;
  readonly mask: string | undefined;
  readonly map: string | undefined;
  readonly copy?: string | undefined;
}

/** As much of a picture as a request needs. */
type PictureFacts = Pick<PictureInfo, 'id' | 'size'>;

export interface OpenPictures {
  readonly source: PictureFacts | undefined;
  readonly mask: PictureFacts | undefined;
  readonly map: PictureFacts | undefined;
  readonly copy?: PictureFacts | undefined;
  /** How the source was turned and cut. */
  readonly framing?: Framing;
}

/** What the request says of pictures that are opened with it. */
export interface PictureWishes {
  readonly control: ControlWish | undefined;
  readonly copy?: CopyWish | undefined;
}

/** Facts that no rule refuses, in the place of pictures that are not open yet. */
export function stillClosed({ source, mask, map, copy }: InputFiles): OpenPictures {
  const facts = (path: string | undefined) => (path === undefined ? undefined : { id: 'closed', size: { width: 16, height: 16 } });
  return { source: facts(source), mask: facts(mask), map: facts(map), copy: facts(copy) };
}

export async function openPictures({ source, mask, map, copy }: InputFiles, context: Context): Promise<OpenPictures> {
  return {
    source: await openPicture(source, SOURCE, context),
    mask: await openPicture(mask, '--mask', context),
    map: await openPicture(map, '--control', context),
    copy: await openPicture(copy, '--no-copy', context),
  };
}

export async function openPicture(path: string | undefined, label: string, context: Context): Promise<PictureInfo | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readPictureFile(path, label);
  const service = await context.service();
  const info = await service.pictures.add(bytes, basename(path));
  // Of a mask or a map only what is missing of it matters: its depth, profile and metadata go nowhere.
  for (const { code, message } of info.notices) {
    if (label === SOURCE) context.log(`note: ${message}`);
    else if (INCOMPLETE.has(code)) context.log(`note: ${label}: ${message}`);
  }
  return info;
}

const SOURCE = 'IN';
const INCOMPLETE: ReadonlySet<Notice['code']> = new Set(['image.damaged', 'image.animated', 'image.smaller-page']);

export function withPictures(
  wish: EditRequestInput,
  { source, mask, map, copy: copied, framing }: OpenPictures,
  { control, copy }: PictureWishes,
): EditRequestInput {
  return {
    ...wish,
    ...(source && { source: source.id }),
    ...(mask && { mask: mask.id }),
    ...(control && { control: { kind: control.kind, ...control.settings, ...mapOf(map?.id) } }),
    ...(copied && copy && { copy: { mask: copied.id, only: copy.only } }),
    ...(framing && wish.output && { output: { ...wish.output, framings: [framing] } }),
    ...sizeOf(wish, source?.size),
  };
}

function mapOf(map: PictureId | undefined): { map?: PictureId } {
  return map === undefined ? {} : { map };
}

/** A picture generated along another one has its size, unless another was asked for. */
function sizeOf({ task, size }: EditRequestInput, source: Extent | undefined): { size?: Extent } {
  return task === 'generate' && size === undefined && source !== undefined ? { size: source } : {};
}
