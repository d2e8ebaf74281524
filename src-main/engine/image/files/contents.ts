import type { Metadata } from 'sharp';
import type { Extent } from '#base/geometry.js';
import type { Notice } from '#contract/event.js';
import { adobeRgb, isHdr, namingOfCodePoints, type Naming } from './code-points.js';
import { exifNamesAdobeRgb, exifOrientation, exifResolution, uprightExif } from './exif.js';
import { profileModel } from './icc-profile.js';
import { iptcOfResources } from './iptc.js';
import type { HeifFacts } from './isobmff.js';
import type { JpegFacts } from './jpeg-segments.js';
import type { PngParts } from './png-parts.js';
import { quarterTurned } from './quarter-turn.js';
import { turns } from './orient.js';
import type { Photo } from './photo.js';
import { MAX_METADATA_BYTES } from './slim/parts.js';
import { exifOfTiff } from './tiff-exif.js';
import type { TiffFacts } from './tiff-facts.js';
import { recipeInPacket, saysNothing, uprightXmp, xmpIsExtended, xmpTellsGainMap } from './xmp.js';

/** All that a file holds beside its pixels. */
export type Contents = Pick<Photo, 'icc' | 'codePoints' | 'exif' | 'xmp' | 'iptc' | 'resolution' | 'texts'> & {
  /** The recipe in the file, as it stands there: text from a stranger. */
  readonly recipeText?: string;
  /** Colours are multiplied by alpha. */
  readonly premultiplied: boolean;
  /** What is not kept of it. */
  readonly notices: readonly Notice[];
};

/** What was read of a file's own structure, once; of its kind alone. */
export interface FileParts {
  readonly png?: PngParts;
  readonly tiff?: TiffFacts;
  readonly jpeg?: JpegFacts;
  readonly heif?: HeifFacts;
}

export interface OpenedFile {
  readonly bytes: Uint8Array;
  readonly metadata: Pick<Metadata, 'icc' | 'exif' | 'xmp' | 'iptc' | 'orientation'>;
  readonly parts: FileParts;
  /** What a profile has to describe to fit the samples as they will be; undefined where those are converted. */
  readonly model: 'GRAY' | 'RGB ' | undefined;
  /** Upright. */
  readonly extent: Extent;
  /** Metadata was too large to be read. */
  readonly leftOut: boolean;
}

/** As the parts of a file stand there, before anything is made of them. */
interface Found {
  readonly icc?: Uint8Array | undefined;
  readonly naming: Naming;
  readonly codePoints?: Photo['codePoints'];
  readonly exif?: Uint8Array | undefined;
  readonly xmp?: string | undefined;
  readonly iptc?: Uint8Array | undefined;
  readonly resolution?: Photo['resolution'];
  readonly gainMap: boolean;
  readonly morePictures: boolean;
  readonly premultiplied: boolean;
  readonly leftOut: boolean;
}

export function contentsOf(file: OpenedFile): Contents {
  const found = foundIn(file);
  const exif = found.exif && found.exif.length <= MAX_METADATA_BYTES ? uprightExif(found.exif) : undefined;
  const icc = profileOf({ ...found, exif }, file);
  const packet = readPacket(found.xmp, file.extent);
  return {
    ...present({
      icc,
      codePoints: icc && found.codePoints,
      iptc: found.iptc,
      ...toldOf(found, { file, exif, xmp: packet.xmp }),
      ...textsOf(file.parts.png),
      recipeText: file.parts.png?.recipeText ?? packet.recipeText,
    }),
    premultiplied: found.premultiplied,
    notices: noticesOf(found, { file, icc, lost: file.leftOut || found.leftOut || packet.lost || (found.exif !== undefined && !exif) }),
  };
}

/** What speaks of directions, as it is true of the upright picture. */
function toldOf(found: Found, { file, exif, xmp }: { file: OpenedFile; exif: Uint8Array | undefined; xmp: string | undefined }) {
  const [first, second] = [exifResolution(exif), found.resolution];
  const resolution = first?.shapeOnly && second && !second.shapeOnly ? second : (first ?? second);
  const told = present({ exif, xmp, resolution });
  return isTurned(found, file) ? quarterTurned(told) : told;
}

/** An AVIF is turned by words of its own, which its EXIF repeats. */
function isTurned({ exif }: Found, { metadata, parts }: OpenedFile): boolean {
  return turns(parts.heif ? exifOrientation(exif) : (metadata.orientation ?? 1));
}

function textsOf(png: PngParts | undefined): Pick<Contents, 'texts'> {
  return png && png.texts.length > 0 ? { texts: png.texts } : {};
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the keys that have no value. */
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}

interface Packet {
  readonly xmp?: string;
  readonly recipeText?: string | undefined;
  readonly lost: boolean;
}

function readPacket(packet: string | undefined, extent: Extent): Packet {
  if (packet === undefined) return { lost: false };
  const xmp = uprightXmp(packet, extent);
  if (xmp === undefined) return { lost: true };
  const recipeText = recipeInPacket(packet);
  // What was about nothing but a recipe says nothing without it.
  return { ...(!(recipeText !== undefined && saysNothing(xmp)) && { xmp }), recipeText, lost: xmpIsExtended(packet) };
}

const NO_MORE = { gainMap: false, morePictures: false, premultiplied: false };

function foundIn(file: OpenedFile): Found {
  const { bytes, metadata, parts } = file;
  const { png, tiff, jpeg, heif } = parts;
  if (png) return { ...NO_MORE, ...png, exif: metadata.exif ?? png.exif };
  if (tiff) {
    const { icc, xmp, iptc, resolution } = tiff;
    return { ...NO_MORE, naming: { kind: 'plain' }, icc, iptc, resolution, exif: exifOfTiff(bytes), ...packetOf(xmp) };
  }
  const { icc, exif, xmp, iptc } = metadata;
  const common = { icc, exif, iptc: iptc && iptcOfResources(iptc), ...packetOf(xmp) };
  if (jpeg) {
    const { resolution, gainMap, morePictures } = jpeg;
    return { ...common, naming: { kind: 'plain' }, resolution, gainMap, morePictures, premultiplied: false };
  }
  if (!heif) return { ...NO_MORE, ...common, naming: { kind: 'plain' } };
  const { codePoints, premultiplied, gainMap } = heif;
  // A profile says more than code points do, where both are there.
  const naming: Naming = codePoints && !icc && file.model ? namingOfCodePoints(codePoints, file.model) : { kind: 'plain' };
  return { ...common, naming, codePoints: icc ? undefined : codePoints, premultiplied, gainMap, morePictures: false };
}

/** UTF-8 as the standard asks, or the UTF-16 that it allows; everything else is left out. */
function packetOf(xmp: Uint8Array | undefined): { readonly xmp?: string; readonly leftOut: boolean } {
  if (!xmp) return { leftOut: false };
  if (xmp.length > MAX_METADATA_BYTES) return { leftOut: true };
  const encoding = xmp[0] === 0xfe || xmp[0] === 0 ? 'utf-16be' : xmp[1] === 0 || xmp[0] === 0xff ? 'utf-16le' : 'utf-8';
  try {
    return { xmp: new TextDecoder(encoding, { fatal: true }).decode(xmp).replace(/\0+$/u, ''), leftOut: false };
  } catch {
    return { leftOut: true };
  }
}

/** A profile that fits the samples: the file's own, or one of the same meaning as its naming of colours. */
function profileOf({ icc, naming, exif }: Found, { model, parts }: OpenedFile): Uint8Array | undefined {
  if (model === undefined) return undefined;
  if (naming.kind === 'profile') return naming.icc;
  if (!icc && model === 'RGB ' && !namesColours(parts) && exifNamesAdobeRgb(exif)) return adobeRgb();
  return icc && icc.length <= MAX_METADATA_BYTES && profileModel(icc) === model ? new Uint8Array(icc) : undefined;
}

function namesColours({ png, heif }: FileParts): boolean {
  return png?.isNamed === true || heif?.codePoints !== undefined;
}

interface Made {
  readonly file: OpenedFile;
  readonly icc: Uint8Array | undefined;
  readonly lost: boolean;
}

function noticesOf(found: Found, { file, icc, lost }: Made): readonly Notice[] {
  const notices: Notice[] = [];
  const say = (code: Notice['code'], message: string) => notices.push({ code, message });
  const misfit = file.model !== undefined && (found.naming.kind === 'unknown' || (found.icc !== undefined && !icc));
  if (misfit) say('image.profile', 'The colour profile in the file does not fit its pixels and was left out.');
  if (found.codePoints && isHdr(found.codePoints))
    say('image.hdr', 'The picture is HDR: what is brighter than paper white is kept, but the model sees it as white.');
  if (lost) say('image.metadata', 'A part of the metadata in the file is damaged or too large and was left out.');
  const gainMap = found.gainMap || (found.xmp !== undefined && xmpTellsGainMap(found.xmp));
  if (gainMap) say('image.gain-map', 'The gain map for HDR screens is not kept: it would no longer fit the picture.');
  else if (found.morePictures) say('image.attached', 'Further pictures in the file, such as previews and depth maps, are not kept.');
  return notices;
}
