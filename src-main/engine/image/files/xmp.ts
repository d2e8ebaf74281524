import type { Extent } from '#base/geometry.js';
import { parseXml, type XmlAttribute, type XmlElement } from './xml.js';

// XMP (ISO 16684-1) is changed in place: what is not ours to change keeps every byte, whoever wrote it.

const RDF = 'http://www.w3.org/1999/02/22-rdf-syntax-ns#';
const TIFF = 'http://ns.adobe.com/tiff/1.0/';
const EXIF = 'http://ns.adobe.com/exif/1.0/';
const BASIC = 'http://ns.adobe.com/xap/1.0/';
const PHOTOSHOP = 'http://ns.adobe.com/photoshop/1.0/';
const IPTC_CORE = 'http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/';
const IPTC_EXTENSION = 'http://iptc.org/std/Iptc4xmpExt/2008-02-29/';
const NOTE = 'http://ns.adobe.com/xmp/note/';
const CONTAINER = 'http://ns.google.com/photos/1.0/container/';
const CAMERA = 'http://ns.google.com/photos/1.0/camera/';
const GAIN_MAPS = ['http://ns.adobe.com/hdr-gain-map/1.0/', 'http://ns.apple.com/HDRGainMap/1.0/'];
export const RECIPE_NAMESPACE = 'urn:scalebrush:recipe:1';
const RECIPE = 'recipe';

interface Name {
  readonly namespace: string;
  readonly local: string;
}

/** What speaks of pictures that are not in the file any more, and of a recipe that the picture outlived. */
function isStale({ namespace, local }: Name): boolean {
  if (GAIN_MAPS.includes(namespace) || namespace === CONTAINER || isRecipe({ namespace, local })) return true;
  if (namespace === CAMERA) return /^(Motion|MicroVideo)/u.test(local);
  return (namespace === BASIC && local === 'Thumbnails') || (namespace === NOTE && local === 'HasExtendedXMP');
}

const PLACES: Readonly<Record<string, RegExp>> = {
  [EXIF]: /^GPS/u,
  [PHOTOSHOP]: /^(City|State|Country)$/u,
  [IPTC_CORE]: /^(Location|CountryCode)$/u,
  [IPTC_EXTENSION]: /^Location(Shown|Created)$/u,
};

function isPlace({ namespace, local }: Name): boolean {
  return PLACES[namespace]?.test(local) === true;
}

/** Some writers end every namespace in a slash. */
function isRecipe({ namespace, local }: Name): boolean {
  return local === RECIPE && namespace.replace(/\/$/u, '') === RECIPE_NAMESPACE;
}

export function xmpTellsPlace(packet: string): boolean {
  return named(packet, isPlace).length > 0;
}

/** The packet without a word of where the photograph was taken. */
export function xmpWithoutPlace(packet: string): string {
  return without(packet, isPlace);
}

/** Does the packet speak of a gain map? */
export function xmpTellsGainMap(packet: string): boolean {
  const spoken = named(packet, ({ namespace }) => GAIN_MAPS.includes(namespace)).length > 0;
  return spoken || /Semantic\s*=\s*["']GainMap["']/u.test(packet);
}

/** Is there no property in the packet, only its frame? */
export function saysNothing(packet: string): boolean {
  const frame = (name: Name) => name.namespace === RDF || name.namespace === 'adobe:ns:meta/';
  return named(packet, (name) => !frame(name)).length === 0;
}

/** Does a part of the metadata lie outside the packet, as in a JPEG whose segment had no room for it? */
export function xmpIsExtended(packet: string): boolean {
  return named(packet, ({ namespace, local }) => namespace === NOTE && local === 'HasExtendedXMP').length > 0;
}

/**
 * The packet as it is true of an upright picture of this size: orientation 1, true sides, no thumbnails, no gain map, no
 * recipe. Undefined where it is no XML that can be trusted.
 */
export function uprightXmp(packet: string, extent: Extent): string | undefined {
  if (!parseXml(packet)) return undefined;
  return sizedXmp(without(changed(packet, recipesOf(packet)), isStale), extent);
}

/** Descriptions of nothing but a recipe go as a whole. */
function recipesOf(packet: string): readonly Change[] {
  const alone = ({ namespace, local, attributes, children }: XmlElement) =>
    namespace === RDF &&
    local === 'Description' &&
    children.length > 0 &&
    [...children, ...attributes.filter((one) => one.namespace !== RDF)].every(isRecipe);
  return (parseXml(packet) ?? []).filter(alone).map(({ from, to }) => ({ from, to, text: '' }));
}

export function sizedXmp(packet: string, { width, height }: Extent): string {
  const sides: Readonly<Record<string, number>> = {
    [`${TIFF}Orientation`]: 1,
    [`${TIFF}ImageWidth`]: width,
    [`${TIFF}ImageLength`]: height,
    [`${EXIF}PixelXDimension`]: width,
    [`${EXIF}PixelYDimension`]: height,
  };
  const changes: Change[] = [];
  visit(packet, ({ name, value }) => {
    const side = sides[name.namespace + name.local];
    if (side !== undefined && value.to > value.from) changes.push({ ...value, text: String(side) });
  });
  return changed(packet, changes);
}

/** Names that end in X and Y, of what is said along and across a picture. */
const DIRECTIONS: readonly (readonly [x: string, y: string])[] = [
  [`${TIFF}XResolution`, `${TIFF}YResolution`],
  [`${EXIF}FocalPlaneXResolution`, `${EXIF}FocalPlaneYResolution`],
];

/** The packet of a picture that was turned by a quarter: what it says along and across changes round. */
export function quarterTurnedXmp(packet: string): string {
  const values = new Map<string, Said['value']>();
  visit(packet, ({ name, value }) => values.set(name.namespace + name.local, value));
  const changes = DIRECTIONS.flatMap(([first, second]): Change[] => {
    const [x, y] = [values.get(first), values.get(second)];
    if (!x || !y) return [];
    return [
      { ...x, text: packet.slice(y.from, y.to) },
      { ...y, text: packet.slice(x.from, x.to) },
    ];
  });
  return changed(packet, changes);
}

/** The text of the recipe in a packet, whoever wrote it: element or attribute, any prefix. */
export function recipeInPacket(packet: string): string | undefined {
  let found: string | undefined;
  visit(packet, ({ name, value }) => {
    if (isRecipe(name)) found ??= unescaped(packet.slice(value.from, value.to));
  });
  return found;
}

/** The packet with a recipe beside what it says already; undefined where there is no place for one. */
export function packetWith(packet: string, recipe: string): string | undefined {
  const root = parseXml(packet)?.find(({ namespace, local }) => namespace === RDF && local === 'RDF');
  if (root?.close === undefined) return undefined;
  return changed(packet, [{ from: root.close, to: root.close, text: recipeDescription(recipe, aboutOf(root)) }]);
}

/** All descriptions of one packet are about the same thing. */
function aboutOf(root: XmlElement): string {
  const about = root.children
    .flatMap(({ attributes }) => attributes)
    .find(({ namespace, local }) => namespace === RDF && local === 'about');
  return about?.raw ?? '';
}

function recipeDescription(recipe: string, about: string): string {
  const text = recipe.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [
    `<rdf:Description xmlns:rdf="${RDF}" rdf:about="${about}" xmlns:scalebrush="${RECIPE_NAMESPACE}">`,
    `<scalebrush:${RECIPE}>${text}</scalebrush:${RECIPE}></rdf:Description>`,
  ].join('');
}

/** A packet that holds nothing but a recipe. */
export function recipePacket(recipe: string): string {
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="${RDF}">`,
    recipeDescription(recipe, ''),
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>',
  ].join('');
}

interface Change {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

function changed(packet: string, changes: readonly Change[]): string {
  let result = '';
  let at = 0;
  for (const { from, to, text } of changes.toSorted((a, b) => a.from - b.from)) {
    // What lies inside a part that goes away goes with it.
    if (from < at) continue;
    result += packet.slice(at, from) + text;
    at = to;
  }
  return result + packet.slice(at);
}

interface Said {
  readonly name: Name;
  /** Where the whole of it lies, and where its value does. */
  readonly whole: { readonly from: number; readonly to: number };
  readonly value: { readonly from: number; readonly to: number };
}

/** Every property of a packet: elements and attributes alike. */
function visit(packet: string, take: (said: Said) => void): void {
  for (const element of parseXml(packet) ?? []) {
    take({ name: element, whole: element, value: { from: element.content, to: element.close ?? element.content } });
    for (const attribute of element.attributes) take({ name: attribute, whole: attribute, value: valueOf(attribute) });
  }
}

function valueOf({ to, raw }: XmlAttribute): { from: number; to: number } {
  return { from: to - 1 - raw.length, to: to - 1 };
}

function named(packet: string, wanted: (name: Name) => boolean): readonly Said[] {
  const found: Said[] = [];
  visit(packet, (said) => {
    if (wanted(said.name)) found.push(said);
  });
  return found;
}

function without(packet: string, unwanted: (name: Name) => boolean): string {
  return changed(
    packet,
    named(packet, unwanted).map(({ whole: { from, to } }) => ({ from, to, text: '' })),
  );
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  const cdata = /^\s*<!\[CDATA\[([\s\S]*)\]\]>\s*$/u.exec(text)?.[1];
  return cdata ?? text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|\w{1,4});/giu, (whole, name: string) => entity(name) ?? whole);
}

function entity(name: string): string | undefined {
  if (!name.startsWith('#')) return ENTITIES[name];
  const code = name[1] === 'x' ? parseInt(name.slice(2), 16) : Number(name.slice(1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
