import type { Notice } from '#contract/event.js';
import type { OutputFormat } from '#contract/request.js';
import { exifFits } from './encode.js';
import { xmpSegment } from './jpeg-segments.js';
import type { Photo, PhotoFacts } from './photo.js';

const NAMES: Readonly<Record<OutputFormat, string>> = { png: 'PNG', jpeg: 'JPEG', webp: 'WebP', tiff: 'TIFF', avif: 'AVIF' };

const HOLDS_NO_IPTC: ReadonlySet<OutputFormat> = new Set(['webp', 'avif']);

/** What a photo holds and a format has no place for, in words for the user. */
export function lossesOf(photo: PhotoFacts & Partial<Photo>, format: OutputFormat): readonly Notice[] {
  const name = NAMES[format];
  const notices: Notice[] = [];
  const say = (code: Notice['code'], message: string) => notices.push({ code, message, details: { format } });
  if (format === 'jpeg' && isTransparent(photo)) say('output.alpha', 'JPEG has no transparency: white is put below the picture.');
  const lossy = format !== 'png' && format !== 'tiff';
  if (lossy && photo.samples?.BYTES_PER_ELEMENT === 2)
    say('output.depth', `${name} is written with 8 bits per channel; PNG and TIFF keep 16.`);
  if (photo.extra && format !== 'tiff') say('output.channels', `${name} has no place for further channels; TIFF keeps them.`);
  const lost = lostMetadata(photo, format);
  if (lost.length > 0) say('output.metadata', `${name} has no room for ${lost.join(' and ')} of this picture.`);
  return notices;
}

function isTransparent({ channels, samples }: PhotoFacts & Partial<Photo>): boolean {
  if (channels % 2 === 1 || !samples) return false;
  const full = samples.BYTES_PER_ELEMENT === 2 ? 65535 : 255;
  for (let at = channels - 1; at < samples.length; at += channels) if (samples[at]! < full) return true;
  return false;
}

function lostMetadata({ exif, xmp, iptc, texts = [] }: PhotoFacts, format: OutputFormat): readonly string[] {
  const jpeg = format === 'jpeg';
  const lost = [
    jpeg && exif && !exifFits(exif) ? 'the EXIF' : '',
    jpeg && xmp !== undefined && !xmpSegment(xmp) ? 'the XMP' : '',
    iptc && HOLDS_NO_IPTC.has(format) ? 'the IPTC' : '',
    texts.length > 0 && format !== 'png' ? 'the texts' : '',
  ];
  return lost.filter((name) => name !== '');
}
