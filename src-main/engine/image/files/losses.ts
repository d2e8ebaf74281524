import type { Losses, SavedKind } from '#contract/api.js';
import type { Notice } from '#contract/event.js';
import { exifFits } from './encode.js';
import { xmpSegment } from './jpeg-segments.js';
import { exceededSide } from './limits.js';
import type { Photo, PhotoFacts } from './photo.js';

const NAMES: Readonly<Record<SavedKind, string>> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  tiff: 'TIFF',
  avif: 'AVIF',
  layers: 'A Photoshop file of ours',
};

const HOLDS_NO_IPTC: ReadonlySet<SavedKind> = new Set(['webp', 'avif', 'layers']);

/** Of a photograph for every kind of file that it can be saved as. */
export function allLosses(photo: Photo): Losses {
  const kinds = Object.keys(NAMES) as SavedKind[];
  const report = (kind: SavedKind) => {
    const longestSide = exceededSide(kind, photo.extent);
    return { notices: lossesOf(photo, kind), ...(longestSide !== undefined && { longestSide }) };
  };
  return Object.fromEntries(kinds.map((kind) => [kind, report(kind)])) as Losses;
}

/** What a photo holds and a kind of file has no place for, in words for the user. */
export function lossesOf(photo: PhotoFacts & Partial<Photo>, format: SavedKind): readonly Notice[] {
  const name = NAMES[format];
  const notices: Notice[] = [];
  const say = (code: Notice['code'], message: string, more: object = {}) => notices.push({ code, message, details: { format, ...more } });
  if (format === 'jpeg' && isTransparent(photo)) say('output.alpha', 'JPEG has no transparency: white is put below the picture.');
  const lossy = format !== 'png' && format !== 'tiff';
  if (lossy && photo.samples?.BYTES_PER_ELEMENT === 2)
    say('output.depth', `${name} is written with 8 bits per channel; PNG and TIFF keep 16.`);
  if (photo.extra && format !== 'tiff') say('output.channels', `${name} has no place for further channels; TIFF keeps them.`);
  const lost = lostMetadata(photo, format);
  const words = lost.map((part) => `the ${part === 'texts' ? part : part.toUpperCase()}`);
  if (lost.length > 0) say('output.metadata', `${name} has no room for ${words.join(' and ')} of this picture.`, { lost });
  return notices;
}

function isTransparent({ channels, samples }: PhotoFacts & Partial<Photo>): boolean {
  if (channels % 2 === 1 || !samples) return false;
  const full = samples.BYTES_PER_ELEMENT === 2 ? 65535 : 255;
  for (let at = channels - 1; at < samples.length; at += channels) if (samples[at]! < full) return true;
  return false;
}

/** Parts of metadata, as the window's messages name them. */
function lostMetadata({ exif, xmp, iptc, texts = [] }: PhotoFacts, format: SavedKind): readonly string[] {
  const [jpeg, layers] = [format === 'jpeg', format === 'layers'];
  const lost = {
    exif: exif && (layers || (jpeg && !exifFits(exif))),
    xmp: xmp !== undefined && (layers || (jpeg && !xmpSegment(xmp))),
    iptc: iptc && HOLDS_NO_IPTC.has(format),
    texts: texts.length > 0 && format !== 'png',
  };
  return Object.entries(lost).flatMap(([part, is]) => (is === true ? [part] : []));
}
