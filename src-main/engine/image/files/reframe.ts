import sharp, { type Sharp } from 'sharp';
import { intersect, sameExtent, type Extent } from '#base/geometry.js';
import { cropOf, turnedExtent, type Framing } from '#contract/framing.js';
import { ExpectedError } from '#contract/errors.js';
import type { Photo } from './photo.js';
import { quarterTurned } from './quarter-turn.js';

type Samples = Pick<Photo, 'extent' | 'channels' | 'samples'>;

/**
 * A picture turned, straightened and cut. Samples only change their place unless it is straightened, which is one
 * bicubic interpolation. Further channels are left out: they would need the same. Throws `request.invalid`.
 */
export async function reframed(photo: Photo, framing: Framing): Promise<Photo> {
  const { extra: _extra, ...rest } = photo;
  const crop = cropOf(framing, photo.extent);
  const turned = turnedExtent(photo.extent, framing);
  if (!sameExtent(intersect(crop, turned), crop)) {
    throw new ExpectedError('request.invalid', `Expected a part of ${size(turned)} pixels but received one beyond them.`);
  }
  // One after the other: in one go the encoder would choose the order.
  const seen = framing.mirrored ? await workedOn(photo, (picture) => picture.flop()) : photo;
  const upright = framing.turns === 0 ? seen : await workedOn(seen, (picture) => picture.rotate(framing.turns * 90));
  const level = framing.straighten === 0 ? upright : await straightened(upright, framing.straighten);
  const { x: left, y: top } = crop;
  const cut = await workedOn(level, (picture) => picture.extract({ left, top, width: crop.width, height: crop.height }));
  return { ...(framing.turns % 2 === 1 ? quarterTurned(rest) : rest), ...cut };
}

/** As far as an interpolation looks. */
const EDGE = { left: 4, right: 4, top: 4, bottom: 4 } as const;

/** Around its middle, in a frame of its own size. */
async function straightened(picture: Samples, degrees: number): Promise<Samples> {
  const { width, height } = picture.extent;
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  // Beyond its edges it goes on, so that no ground shines in at them.
  const grown = await workedOn(picture, (each) => each.extend({ ...EDGE, extendWith: 'copy' }));
  const wide = await workedOn(grown, (each) =>
    each.affine(
      [
        [cos, -sin],
        [sin, cos],
      ],
      { interpolator: 'bicubic', background: '#000000' },
    ),
  );
  // Of a narrow strip that lies across, the frame is larger than what was turned.
  const room = { width: Math.max(width, wide.extent.width), height: Math.max(height, wide.extent.height) };
  const [left, top] = [Math.round((room.width - wide.extent.width) / 2), Math.round((room.height - wide.extent.height) / 2)];
  const right = room.width - wide.extent.width - left;
  const bottom = room.height - wide.extent.height - top;
  const roomy =
    left + top + right + bottom === 0
      ? wide
      : await workedOn(wide, (each) => each.extend({ left, top, right, bottom, background: '#000000' }));
  const at = { left: Math.round((room.width - width) / 2), top: Math.round((room.height - height) / 2) };
  return workedOn(roomy, (each) => each.extract({ ...at, width, height }));
}

async function workedOn(picture: Samples, work: (picture: Sharp) => Sharp): Promise<Samples> {
  // Of 8 bits of gray the encoder gives back no alpha; of 16 it does.
  if (picture.channels !== 2 || picture.samples.BYTES_PER_ELEMENT === 2) return worked(picture, work);
  const deep = await worked({ ...picture, samples: Uint16Array.from(picture.samples) }, work);
  return { ...deep, samples: Uint8Array.from(deep.samples, (value) => Math.min(255, value)) };
}

async function worked({ extent, channels, samples }: Samples, work: (picture: Sharp) => Sharp): Promise<Samples> {
  const deep = samples.BYTES_PER_ELEMENT === 2;
  const picture = work(sharp(samples, { raw: { ...extent, channels }, limitInputPixels: false }));
  const space = channels <= 2 ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb';
  const { data, info } = await picture
    .toColourspace(space)
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const result = deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : new Uint8Array(data);
  return { extent: { width: info.width, height: info.height }, channels: info.channels, samples: result };
}

function size({ width, height }: Extent): string {
  return `${String(width)} × ${String(height)}`;
}
