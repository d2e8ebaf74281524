import { sameExtent } from '#base/geometry.js';
import type { Framing } from '#contract/framing.js';
import type { PictureId } from '#contract/request.js';
import type { PageLink } from '#link/http.js';
import type { Services, ShownPicture } from './pictures.js';
import type { Sheet } from './sheets.js';

export interface Rechained {
  readonly sheets: readonly Sheet[];
  /** Steps that build on what has changed below them: they are as they were, and stale. */
  readonly dependent: readonly number[];
  /** Pictures that were made on the way. */
  readonly made: readonly ShownPicture[];
}

/**
 * The same steps on pictures that have changed below them: from step `from` on, each is what its run changed, done to
 * the picture of the step before. Steps whose changed areas touch depend on each other.
 */
export async function rechained(sheets: readonly Sheet[], from: number, services: Services): Promise<Rechained> {
  const next = sheets.slice(0, from);
  const dependent: number[] = [];
  const made: ShownPicture[] = [];
  const known = new Map(sheets.map(({ picture }) => [picture.info.id, picture]));
  const show = async (id: PictureId): Promise<ShownPicture> => {
    const picture = known.get(id) ?? (await services.pictures.show(id));
    if (!known.has(id)) made.push(picture);
    known.set(id, picture);
    return picture;
  };
  for (const sheet of sheets.slice(from)) {
    const below = next.at(-1)?.picture;
    const changed = below && (await changedIn(sheet, below, services.link));
    const after = below && changed !== undefined ? await faintly(sheet, { below: below.info.id, above: changed }, services.link) : changed;
    if (after === undefined) dependent.push(next.length);
    const picture = after === undefined ? await show(asItWas(sheet)) : await show(after);
    next.push({ ...sheet, picture, stale: after === undefined });
  }
  return { sheets: next, dependent, made };
}

/** Another picture of the size that was framed is framed the same. */
async function framedAnew(
  { before, onto, framing }: { readonly before: PictureId; readonly onto: PictureId; readonly framing: Framing },
  link: PageLink,
): Promise<PictureId | undefined> {
  const [was, is] = [await link.call('picture.describe', { id: before }), await link.call('picture.describe', { id: onto })];
  return sameExtent(was.size, is.size) ? (await link.call('picture.frame', { id: onto, framing })).id : undefined;
}

/** A step of less than full opacity lies over the one below it. */
async function faintly(
  { opacity = 1, hidden }: Sheet,
  { below, above }: { readonly below: PictureId; readonly above: PictureId },
  link: PageLink,
): Promise<PictureId> {
  if (opacity === 1 || hidden || below === above) return above;
  return (await link.call('picture.blend', { below, above, opacity })).id;
}

/** The picture of a step on what is now below it; undefined where it cannot be had without another run. */
async function changedIn({ hidden, change, framing }: Sheet, below: ShownPicture, link: PageLink): Promise<PictureId | undefined> {
  const onto = below.info.id;
  if (hidden) return onto;
  if (!change) return undefined;
  if (change.before === onto) return change.after;
  if (framing) return framedAnew({ before: change.before, onto, framing }, link);
  return (await link.call('picture.carry', { ...change, onto }))?.id;
}

/** The picture of a step as its run made it, also where the step is left out. */
export function asItWas({ hidden, change, picture }: Pick<Sheet, 'hidden' | 'change' | 'picture'>): PictureId {
  return hidden && change ? change.after : picture.info.id;
}
