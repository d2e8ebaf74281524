import { exifTellsPlace, exifWithoutPlace } from './exif.js';
import { iptcTellsPlace, iptcWithoutPlace } from './iptc.js';
import type { Photo } from './photo.js';
import { xmpTellsPlace, xmpWithoutPlace } from './xmp.js';

type Telling = Pick<Photo, 'exif' | 'xmp' | 'iptc'>;

/** Does any of it say where the photograph was taken? */
export function tellsPlace({ exif, xmp, iptc }: Telling): boolean {
  return exifTellsPlace(exif) || (xmp !== undefined && xmpTellsPlace(xmp)) || iptcTellsPlace(iptc);
}

/** The photo without the place where it was taken; everything else that it says stays. */
export function withoutLocation(photo: Photo): Photo {
  const { iptc: whole, ...rest } = photo;
  const { exif, xmp } = photo;
  const iptc = whole && iptcWithoutPlace(whole);
  return {
    ...rest,
    ...(exif && { exif: exifWithoutPlace(exif) }),
    ...(xmp !== undefined && { xmp: xmpWithoutPlace(xmp) }),
    ...(iptc && iptc.length > 0 && { iptc }),
  };
}
