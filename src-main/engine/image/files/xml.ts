// As much XML as metadata needs: elements, attributes and namespaces with their places in the text. No entities are
// declared, no document type is read, nothing outside the text is fetched.

/** Metadata is never nested so deep. */
const DEEPEST = 64;

export interface XmlAttribute {
  readonly namespace: string;
  readonly local: string;
  /** The value as it stands there, escapes and all. */
  readonly raw: string;
  /** With the space in front of it, up to and with the closing quotation mark. */
  readonly from: number;
  readonly to: number;
}

export interface XmlElement {
  readonly namespace: string;
  readonly local: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  /** From the opening bracket to behind the closing one. */
  readonly from: number;
  readonly to: number;
  /** Where the content begins. */
  readonly content: number;
  /** Where the closing tag begins; undefined for an empty element. */
  readonly close?: number;
}

interface Open {
  readonly name: string;
  readonly spaces: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  readonly started: Omit<XmlElement, 'to' | 'close'>;
  /** Its place in document order. */
  readonly index: number;
}

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>|<\/([^\s<>/]+)\s*>|<([^\s<>/!?]+)((?:\s+[^\s=<>/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|</gu;
const ATTRIBUTE = /\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/gu;

/** All elements in the order in which they open; undefined where the text is no well-formed XML. */
export function parseXml(text: string): readonly XmlElement[] | undefined {
  const elements: XmlElement[] = [];
  const open: Open[] = [];
  for (const token of text.matchAll(TOKEN)) if (!take(token, { open, elements })) return undefined;
  return open.length === 0 && elements.length > 0 ? elements : undefined;
}

/** False where the token has no place there. */
function take(token: RegExpExecArray, { open, elements }: { open: Open[]; elements: XmlElement[] }): boolean {
  const [whole, closing, opening, attributes = '', empty] = token;
  const place = { from: token.index, to: token.index + whole.length };
  if (closing !== undefined) return closeLast(open, elements, { name: closing, ...place });
  // A comment, an instruction of another kind, or a bracket that opens nothing.
  if (opening === undefined) return whole !== '<';
  if (open.length >= DEEPEST) return false;
  const started = openTag({ name: opening, attributes, ...place }, open.at(-1)?.spaces ?? new Map(), elements.length);
  const element = { ...started.started, to: place.to };
  elements.push(element);
  if (empty === '') open.push(started);
  else open.at(-1)?.children.push(element);
  return true;
}

interface Tag {
  readonly name: string;
  readonly attributes: string;
  readonly from: number;
  readonly to: number;
}

function openTag({ name, attributes: text, from, to }: Tag, outer: ReadonlyMap<string, string>, index: number): Open {
  const spaces = new Map(outer);
  const found = Array.from(text.matchAll(ATTRIBUTE), (match) => {
    const [whole, key = '', double, single = ''] = match;
    const start = from + 1 + name.length + match.index;
    return { key, raw: double ?? single, from: start, to: start + whole.length };
  });
  for (const { key, raw } of found) {
    if (key === 'xmlns') spaces.set('', raw);
    else if (key.startsWith('xmlns:')) spaces.set(key.slice('xmlns:'.length), raw);
  }
  const children: XmlElement[] = [];
  // A name without a prefix is in the default namespace; an attribute without one is in none.
  const attributes = found
    .filter(({ key }) => key !== 'xmlns' && !key.startsWith('xmlns:'))
    .map(({ key, ...rest }) => ({ ...resolved(key, key.includes(':') ? spaces : new Map()), ...rest }));
  return { name, spaces, children, index, started: { ...resolved(name, spaces), attributes, children, from, content: to } };
}

function resolved(name: string, spaces: ReadonlyMap<string, string>): { namespace: string; local: string } {
  const colon = name.indexOf(':');
  return { namespace: spaces.get(colon < 0 ? '' : name.slice(0, colon)) ?? '', local: name.slice(colon + 1) };
}

function closeLast(open: Open[], elements: XmlElement[], tag: { name: string; from: number; to: number }): boolean {
  const last = open.pop();
  if (last?.name !== tag.name) return false;
  const element = { ...last.started, to: tag.to, close: tag.from };
  elements[last.index] = element;
  open.at(-1)?.children.push(element);
  return true;
}
