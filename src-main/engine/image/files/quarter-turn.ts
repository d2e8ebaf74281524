import { quarterTurnedExif } from './exif.js';
import type { Photo } from './photo.js';
import { quarterTurnedXmp } from './xmp.js';

type Told = Pick<Photo, 'exif' | 'xmp' | 'resolution'>;

/** What is said along and across a picture, changed round: for one that was turned by a quarter. Its sides are said when it is written. */
export function quarterTurned<T extends Told>(told: T): T {
  const { exif, xmp, resolution } = told;
  return {
    ...told,
    ...(exif && { exif: quarterTurnedExif(exif) }),
    ...(xmp !== undefined && { xmp: quarterTurnedXmp(xmp) }),
    ...(resolution && { resolution: { ...resolution, x: resolution.y, y: resolution.x } }),
  };
}
