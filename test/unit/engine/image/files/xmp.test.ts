import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packetWith, recipeInPacket, recipePacket, uprightXmp, xmpTellsPlace, xmpWithoutPlace } from '#engine/image/files/xmp.js';
import { FUZZ_FACTOR } from '../../../../support/fuzz.js';

const size = { width: 30, height: 20 };
const RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"';

function packet(attributes: string, elements = ''): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF ${RDF}><rdf:Description rdf:about="" ${attributes}>${elements}</rdf:Description></rdf:RDF></x:xmpmeta>`;
}

const RATED = packet(
  'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"',
  '<!-- kept --><dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"><rdf:Bag><rdf:li>heron &amp; 東京</rdf:li></rdf:Bag></dc:subject>',
);
const RECIPE = '{"wish":"<red> & \\"blue\\""}';

describe('XMP', () => {
  it('of others keeps every byte where nothing in it is stale', () => {
    expect(uprightXmp(RATED, size)).toBe(RATED);
    expect(xmpWithoutPlace(RATED)).toBe(RATED);
  });

  it('takes a recipe beside what it says, and gives both back', () => {
    const both = packetWith(RATED, RECIPE)!;
    expect(recipeInPacket(both)).toBe(RECIPE);
    expect(both.includes('xmp:Rating="5"')).toBe(true);
    expect(uprightXmp(both, size)).toContain('heron &amp; 東京');
    expect(recipeInPacket(uprightXmp(both, size)!)).toBeUndefined();
    expect(recipeInPacket(recipePacket(RECIPE))).toBe(RECIPE);
    // All descriptions of a packet are about one thing.
    expect(packetWith(RATED.replace('rdf:about=""', 'rdf:about="uuid:1"'), RECIPE)).toContain(
      '<rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" rdf:about="uuid:1"',
    );
    expect(packetWith(`<rdf:RDF ${RDF}/>`, RECIPE)).toBeUndefined();
  });

  it.each([
    [
      'an attribute, in a namespace with a slash, under another prefix',
      packet('xmlns:ns1="urn:scalebrush:recipe:1/" ns1:recipe="{&quot;wish&quot;:&quot;&lt;red&gt; &#38; \\&quot;blue\\&quot;&quot;}"'),
    ],
    [
      'an element with entities by number',
      packet('xmlns:s="urn:scalebrush:recipe:1"', '<s:recipe>{"wish":"&#60;red&#x3E; &amp; \\"blue\\""}</s:recipe>'),
    ],
    ['an element of literal text', packet('xmlns:s="urn:scalebrush:recipe:1"', `<s:recipe><![CDATA[${RECIPE}]]></s:recipe>`)],
    ['in single quotation marks', packet(`xmlns:s='urn:scalebrush:recipe:1' s:recipe='{"wish":"&lt;red> &amp; \\"blue\\""}'`)],
  ])('has its recipe found as %s', (_, text) => {
    expect(recipeInPacket(text)).toBe(RECIPE);
  });

  it('of a turned picture says its true sides, and nothing of pictures that are gone', () => {
    const text = packet(
      'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" tiff:Orientation="6" hdrgm:Version="1.0" exif:PixelXDimension="998"',
      '<exif:PixelYDimension>998</exif:PixelYDimension><xmp:Thumbnails><rdf:Alt><rdf:li>AAAA</rdf:li></rdf:Alt></xmp:Thumbnails>',
    );
    const upright = uprightXmp(text, size)!;
    for (const said of ['tiff:Orientation="1"', 'exif:PixelXDimension="30"', '<exif:PixelYDimension>20<']) expect(upright).toContain(said);
    for (const gone of ['998', 'AAAA', 'hdrgm:Version']) expect(upright).not.toContain(gone);
  });

  it('loses the place alone', () => {
    const text = packet(
      'xmlns:e="http://ns.adobe.com/exif/1.0/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:GPSLatitude="47,22N" e:FNumber="4" photoshop:City="Uster" photoshop:Credit="me"',
      '<i:LocationCreated><rdf:Bag><rdf:li>Uster</rdf:li></rdf:Bag></i:LocationCreated>',
    );
    expect(xmpTellsPlace(text)).toBe(true);
    const stripped = xmpWithoutPlace(text);
    for (const gone of ['47,22N', 'Uster']) expect(stripped).not.toContain(gone);
    for (const kept of ['e:FNumber="4"', 'photoshop:Credit="me"']) expect(stripped).toContain(kept);
    expect(xmpTellsPlace(stripped)).toBe(false);
  });

  it.each([
    '',
    'not XML',
    '<a><b></a>',
    '<a b=c/>',
    '<a>',
    `${'<a>'.repeat(70)}${'</a>'.repeat(70)}`,
    '<a "',
    '<!DOCTYPE x [<!ENTITY y "z">]><a/>',
  ])('is none where it is %j', (text) => {
    expect(uprightXmp(text, size)).toBeUndefined();
  });

  it('answers whatever text it is given', () => {
    const damage = fc.tuple(
      fc.nat(RATED.length),
      fc.constantFrom('<', '>', '"', '/', '&#x110000;', '<![CDATA[', '<!--', ' xmlns:a="b"', '</rdf:li>'),
    );
    fc.assert(
      fc.property(fc.array(damage, { maxLength: 6 }), (places) => {
        let text = RATED;
        for (const [at, mark] of places) text = text.slice(0, at) + mark + text.slice(at + 1);
        const upright = uprightXmp(text, size);
        expect(upright === undefined || upright.length <= text.length + 40).toBe(true);
        recipeInPacket(text);
        packetWith(text, RECIPE);
      }),
      { numRuns: 200 * FUZZ_FACTOR },
    );
  });
});
