import { ExpectedError } from '#contract/errors.js';

// SentencePiece's compiled table of replacements: the bytes of a double-array trie behind their length, then the
// replacements, each ended by a zero byte. A trie's value says where its replacement begins.

const UNIT_BYTES = 4;
/** Graphemes of more bytes are looked up character by character, as the published tokenizers do. */
const WHOLE_GRAPHEME_BYTES = 5;
/** The largest published table has 240 kB. */
const MAX_BYTES = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/** T5's own normaliser (`Precompiled`): full-width letters, ligatures, accents, blanks and controls, as its training saw them. */
export class Charsmap {
  readonly #units: Uint32Array;
  readonly #replacements: Uint8Array;
  readonly #graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });

  /** @throws ExpectedError `pack.damaged` where the bytes are no such table. */
  constructor(base64: string) {
    const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
    const view = new DataView(bytes.buffer);
    const trieBytes = bytes.length < UNIT_BYTES ? NaN : view.getUint32(0, true);
    if (!(trieBytes % UNIT_BYTES === 0 && trieBytes > 0 && UNIT_BYTES + trieBytes <= bytes.length && bytes.length <= MAX_BYTES)) {
      throw new ExpectedError('pack.damaged', 'Expected a table of characters in tokenizer.json but it is damaged.');
    }
    this.#units = Uint32Array.from({ length: trieBytes / UNIT_BYTES }, (_, i) => view.getUint32(UNIT_BYTES * (i + 1), true));
    this.#replacements = bytes.subarray(UNIT_BYTES + trieBytes);
  }

  normalise(text: string): string {
    return Array.from(this.#graphemes.segment(text), ({ segment }) => this.#grapheme(segment)).join('');
  }

  #grapheme(grapheme: string): string {
    const bytes = utf8.encode(grapheme);
    const whole = bytes.length <= WHOLE_GRAPHEME_BYTES ? this.#lookUp(bytes) : undefined;
    return whole ?? Array.from(grapheme, (character) => this.#lookUp(utf8.encode(character)) ?? character).join('');
  }

  /** What the shortest known beginning of `key` is replaced with; the rest of the key goes with it, as in the published tokenizers. */
  #lookUp(key: Uint8Array): string | undefined {
    const units = this.#units;
    let place = offsetOf(units[0]!);
    for (const byte of key) {
      place ^= byte;
      const unit = units[place];
      if (byte === 0 || unit === undefined || labelOf(unit) !== byte) return undefined;
      place ^= offsetOf(unit);
      if (hasLeaf(unit)) return this.#replacement((units[place] ?? 0) & 0x7fffffff);
    }
    return undefined;
  }

  #replacement(start: number): string {
    const end = this.#replacements.indexOf(0, start);
    return new TextDecoder().decode(this.#replacements.subarray(start, end < 0 ? undefined : end));
  }
}

function hasLeaf(unit: number): boolean {
  return ((unit >>> 8) & 1) === 1;
}

/** Of a leaf it is never that of a byte. */
function labelOf(unit: number): number {
  return (unit & 0x800000ff) >>> 0;
}

function offsetOf(unit: number): number {
  return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}
