import type { Extent } from '#base/geometry.js';
import { Framing, levelCrop, NO_FRAMING } from '#contract/framing.js';
import type { PictureId } from '#contract/request.js';
import { parseInput } from '#service/parse.js';
import type { Service } from '#service/service.js';
import { numberIn, refused, wordOf } from './arguments.js';
import type { OpenPictures } from './request-pictures.js';
import type { TaskValues } from './task-options.js';

const TURNS = ['90', '180', '270'] as const;

/** How IN is turned and cut before it is edited; undefined where it is taken as it is. */
export function framingOf({ crop, straighten, turn, flip }: TaskValues): Framing | undefined {
  if (crop === undefined && straighten === undefined && turn === undefined && flip !== true) return undefined;
  return parseInput(Framing, {
    mirrored: flip ?? false,
    turns: turn === undefined ? 0 : TURNS.indexOf(wordOf(turn, TURNS, '--turn')) + 1,
    straighten: numberIn({ straighten }, 'straighten') ?? NO_FRAMING.straighten,
    ...(crop !== undefined && { crop: cropOf(crop) }),
  });
}

/** `WxH+X+Y` in pixels of the turned picture, as ImageMagick writes it. */
function cropOf(text: string): Framing['crop'] {
  const match = /^(\d{1,5})x(\d{1,5})\+(\d{1,5})\+(\d{1,5})$/iu.exec(text);
  if (match === null) throw refused(`Expected WIDTHxHEIGHT+X+Y for --crop but received ${JSON.stringify(text)}.`);
  const [, width, height, x, y] = match.map(Number);
  return { width: width ?? 0, height: height ?? 0, x: x ?? 0, y: y ?? 0 };
}

/** A picture that is straightened and not cut loses its empty corners. */
function completed(framing: Framing, size: Extent): Framing {
  return framing.straighten === 0 || framing.crop ? framing : { ...framing, crop: levelCrop(size, framing) };
}

/** The picture as it is edited; masks go along with it. A control map is one of the cut picture. */
export async function framed(pictures: OpenPictures, wanted: Framing | undefined, service: Service): Promise<OpenPictures> {
  const { source, mask, copy } = pictures;
  if (!wanted || !source) return pictures;
  const framing = completed(wanted, source.size);
  const along = async (id: PictureId) => {
    const fitting = await service.call('mask.read', { mask: id, size: source.size });
    return service.call('picture.frame', { id: fitting.id, framing });
  };
  return {
    ...pictures,
    source: await service.call('picture.frame', { id: source.id, framing }),
    mask: mask && (await along(mask.id)),
    copy: copy && (await along(copy.id)),
    framing,
  };
}
