import { exifTellsPlace, exifWithoutPlace } from './exif.js';
import { iptcTellsPlace, iptcWithoutPlace } from './iptc.js';
import type { Photo } from './photo.js';
import { textKeyword, type PngChunk } from './png-chunks.js';
import { xmpTellsPlace, xmpWithoutPlace } from './xmp.js';

type Telling = Pick<Photo, 'exif' | 'xmp' | 'iptc' | 'texts'>;

/** ImageMagick says each field of EXIF, XMP and IPTC once more in a text of its own, with a prefix that tells which it was. */
const PLACE_KEYWORD = /gps|latitude|longitude|(?:^|:)(?:location|sub-?location|city|state(?!ment)|province|country)/iu;

/** Does any of it say where the photograph was taken? */
export function tellsPlace({ exif, xmp, iptc, texts = [] }: Telling): boolean {
  return exifTellsPlace(exif) || (xmp !== undefined && xmpTellsPlace(xmp)) || iptcTellsPlace(iptc) || texts.some(isOfPlace);
}

function isOfPlace(text: PngChunk): boolean {
  return PLACE_KEYWORD.test(textKeyword(text) ?? '');
}

/** The photo without the place where it was taken; everything else that it says stays. */
export function withoutLocation(photo: Photo): Photo {
  const { iptc: whole, texts, ...rest } = photo;
  const { exif, xmp } = photo;
  const iptc = whole && iptcWithoutPlace(whole);
  return {
    ...rest,
    ...(exif && { exif: exifWithoutPlace(exif) }),
    ...(xmp !== undefined && { xmp: xmpWithoutPlace(xmp) }),
    ...(iptc && iptc.length > 0 && { iptc }),
    ...(texts && { texts: texts.filter((text) => !isOfPlace(text)) }),
  };
}
